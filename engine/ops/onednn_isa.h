#pragma once

#include <string>

#include "engine/kernels/kernels.h"

namespace vit::inline internal {

/// Keeps oneDNN to the instructions of the kernel table in use. Works before the process's first
/// primitive: throws Error(usage) when oneDNN already uses more.
void limit_onednn(kernels::Isa isa);

/// The library's version and the instructions that it uses, for people.
std::string onednn_name();

}  // namespace vit::inline internal
