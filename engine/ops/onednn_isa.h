#pragma once

#include "engine/kernels/kernels.h"

namespace vit {

/// Keeps oneDNN to the instructions of the kernel table in use. Works before the process's first
/// primitive: throws Error(usage) when oneDNN already uses more.
void limit_onednn(kernels::Isa isa);

}  // namespace vit
