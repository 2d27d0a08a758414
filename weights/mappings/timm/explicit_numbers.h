// Converts the arguments of timm's VisionTransformer to explicit numbers.
#pragma once

#include <string_view>

#include "weights/mappings/timm/vit_args.h"

namespace vit::inline internal {

/// What a model's numbers depend on besides its arguments.
struct ModelClass {
    std::string_view architecture;
    bool distilled = false;        ///< timm's VisionTransformerDistilled
    double norm_eps = 1e-6;        ///< of args.norm
    double embed_norm_eps = 1e-6;  ///< of args.embed_norm
};

/// Sets all numbers except image size, channels and classes, which the caller sets. Throws
/// Error(model) with the argument where it is out of range, contradicts another one, or is not
/// supported.
ModelConfig explicit_numbers(const ModelClass& model, const VitArgs& args);

/// Returns `value` where it is in [low, 2^20]. Otherwise throws Error(model) with `name`.
std::int64_t checked_count(std::int64_t value, std::int64_t low, std::string_view name);

}  // namespace vit::inline internal
