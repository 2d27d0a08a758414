// The kernels of the level amx on tiles in plain C++, for CPUs without AMX.
#pragma once

#include <string>
#include <vector>

#include "engine/kernels/kernels.h"

namespace vit::test {

/// bfloat16 kernels whose linears and attention run on PlainTiles, and the table of float32 kernels
/// to use beside them.
struct PlainTileKernels {
    std::string name;
    const kernels::Table& f32;
    const kernels::Bf16Table& bf16;
};

/// For all that this CPU has: baseline vectors, and AVX-512 with AVX512_BF16, which are the vectors
/// of the level amx.
std::vector<PlainTileKernels> plain_tile_kernels();

}  // namespace vit::test
