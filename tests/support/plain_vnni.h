// The int8 kernels of AVX-VNNI with the instruction in plain C++, for CPUs that have only AVX2.
#pragma once

#include "engine/kernels/int8_kernels.h"

namespace vit::test {

extern const kernels::Int8Table plain_avx_vnni_table;

}  // namespace vit::test
