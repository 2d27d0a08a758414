// What to do about a tensor that a model has too many or too few of.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>

namespace vit::inline internal {

/// "; model_args.pre_norm true has it": which of timm's arguments decides about a tensor that is
/// too many. "" where none does.
std::string extra_hint(std::string_view name);

/// "; model_args.qkv_bias false does without" where all tensors are missing that the argument
/// decides about, else that the checkpoint has lost some.
std::string missing_hint(std::string_view name, const std::set<std::string, std::less<>>& present);

/// What may have led to a tensor of another shape than expected.
std::string_view shape_hint(std::string_view name, std::span<const std::int64_t> found,
                            std::span<const std::int64_t> expected);

}  // namespace vit::inline internal
