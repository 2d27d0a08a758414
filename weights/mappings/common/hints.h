// Hints for messages about tensors that are missing, not part of the model, or of another shape.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>

namespace vit::inline internal {

/// A hint for a tensor that is not part of the model. It names the argument of timm with which a
/// model has the tensor: "; model_args.pre_norm true has it". "" where there is no such argument.
std::string extra_hint(std::string_view name);

/// A hint for a missing tensor: "; model_args.qkv_bias false does without". Where `present` has
/// other tensors of the same argument, the hint says that the checkpoint is incomplete. "" where no
/// argument decides about the tensor.
std::string missing_hint(std::string_view name, const std::set<std::string, std::less<>>& present);

/// The probable reason why a tensor has another shape than expected.
std::string_view shape_hint(std::string_view name, std::span<const std::int64_t> found,
                            std::span<const std::int64_t> expected);

}  // namespace vit::inline internal
