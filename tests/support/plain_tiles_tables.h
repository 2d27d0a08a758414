// The kernel tables that plain_tiles_*.cpp define.
#pragma once

#include "engine/kernels/int8_kernels.h"
#include "engine/kernels/kernels.h"

namespace vit::test {

extern const kernels::Bf16Table plain_tiles_on_baseline;
extern const kernels::Int8Table plain_int8_tiles_on_baseline;
extern const kernels::Bf16Table plain_tiles_on_avx512;

}  // namespace vit::test
