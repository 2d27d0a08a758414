// The names of the preprocessing's options in files and on command lines.
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "engine/model/model_config.h"

namespace vit::inline internal {

inline constexpr std::array crop_mode_names{std::pair(CropMode::center, "center"),
                                            std::pair(CropMode::squash, "squash"),
                                            std::pair(CropMode::border, "border")};
inline constexpr std::array interpolation_names{
    std::pair(Interpolation::nearest, "nearest"), std::pair(Interpolation::bilinear, "bilinear"),
    std::pair(Interpolation::bicubic, "bicubic"), std::pair(Interpolation::lanczos, "lanczos")};

}  // namespace vit::inline internal
