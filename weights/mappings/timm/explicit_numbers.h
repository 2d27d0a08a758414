// From the arguments of timm's VisionTransformer to explicit numbers.
#pragma once

#include <string_view>

#include "weights/mappings/timm/vit_args.h"

namespace vit::inline internal {

/// What decides a model's numbers besides its arguments.
struct ModelClass {
    std::string_view architecture;
    bool distilled = false;        ///< timm's VisionTransformerDistilled
    double norm_eps = 1e-6;        ///< of args.norm
    double embed_norm_eps = 1e-6;  ///< of args.embed_norm
};

/// Sizes of images, channels and classes are left to the caller. Throws Error(model) naming the
/// argument: out of range, contradicting another, or asking for what is not supported.
ModelConfig explicit_numbers(const ModelClass& model, const VitArgs& args);

/// `value` where it lies in [low, 2^20]. Throws Error(model) naming it `name` else.
std::int64_t checked_count(std::int64_t value, std::int64_t low, std::string_view name);

}  // namespace vit::inline internal
