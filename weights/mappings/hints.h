// What to do about a tensor that a model has too many or too few of.
#pragma once

#include <string>
#include <string_view>

namespace vit {

/// "; model_args.qkv_bias false does without", or with `extra` "; model_args.pre_norm true has it":
/// which of timm's arguments decides about the tensor. "" where none does.
std::string hint(std::string_view name, bool extra);

}  // namespace vit
