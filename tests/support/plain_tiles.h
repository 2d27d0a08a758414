// The kernels of the level amx with tiles in plain C++, for CPUs without AMX.
#pragma once

#include <string>
#include <vector>

#include "engine/kernels/kernels.h"

namespace vit::test {

/// bfloat16 kernels whose linear layers and attention use PlainTiles, and the float32 kernels to
/// use together with them.
struct PlainTileKernels {
    std::string name;
    const kernels::Table& f32;
    const kernels::Bf16Table& bf16;
};

/// The kernels for all vectors that this CPU has: baseline vectors, and AVX-512 with AVX512_BF16.
/// The level amx uses the latter.
std::vector<PlainTileKernels> plain_tile_kernels();

}  // namespace vit::test
