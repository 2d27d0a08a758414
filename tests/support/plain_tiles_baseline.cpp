// Compiled with the flags of baseline kernels: nothing but the kernel templates and xsimd may be
// included here.
#include "engine/kernels/make_table.h"
#include "engine/kernels/tile_attention.h"
#include "engine/kernels/tile_linear.h"
#include "tests/support/plain_tiles_tables.h"

namespace vit::kernels {

struct PlainTilesOnBaseline {};

template <>
struct XsimdArch<PlainTilesOnBaseline> {
    using type = xsimd::sse2;
};

}  // namespace vit::kernels

namespace vit::test {

using Arch = kernels::PlainTilesOnBaseline;
using Tiles = kernels::PlainTiles<Arch>;

namespace {

constinit const kernels::TileLinears linears = kernels::tile_linears<Arch, Tiles>(false);

}  // namespace

constinit const kernels::Bf16Table plain_tiles_on_baseline = kernels::make_bf16_table<Arch>(
    kernels::attention_kernels<kernels::TileAttention<Arch, Tiles>, kernels::BFloat16>(), &linears);

}  // namespace vit::test
