// The names of the preprocessing's options in files and on command lines.
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "engine/model/model_config.h"

namespace vit::inline internal {

inline constexpr std::array crop_mode_names{std::pair(Crop::center, "center"),
                                            std::pair(Crop::squash, "squash"),
                                            std::pair(Crop::border, "border")};
inline constexpr std::array interpolation_names{
    std::pair(Filter::nearest, "nearest"), std::pair(Filter::bilinear, "bilinear"),
    std::pair(Filter::bicubic, "bicubic"), std::pair(Filter::lanczos, "lanczos")};

}  // namespace vit::inline internal
