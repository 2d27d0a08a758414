// What to do about a tensor that a model has too many or too few of.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace vit {

/// "; model_args.qkv_bias false does without", or with `extra` "; model_args.pre_norm true has it":
/// which of timm's arguments decides about the tensor. "" where none does.
std::string hint(std::string_view name, bool extra);

/// What may have led to a tensor of another shape than expected.
std::string_view shape_hint(std::string_view name, std::span<const std::int64_t> found,
                            std::span<const std::int64_t> expected);

}  // namespace vit
