// The names of precisions on command lines and in reports.
#pragma once

#include <array>
#include <utility>

#include "vit/model.h"

namespace vit::tools {

inline constexpr std::array precision_names{std::pair(Precision::f32, "f32"),
                                            std::pair(Precision::bf16, "bf16"),
                                            std::pair(Precision::int8, "int8")};

}  // namespace vit::tools
