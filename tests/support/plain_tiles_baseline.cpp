// Compiled with the flags of the baseline kernels. This file may include only the kernel templates
// and xsimd.
#include "engine/kernels/int8_tiles.h"
#include "tests/support/plain_tiles_make.h"
#include "tests/support/plain_tiles_tables.h"

namespace vit::kernels {
struct PlainTilesOnBaseline {};
template <>
struct XsimdArch<PlainTilesOnBaseline> {
    using type = xsimd::sse2;
};
}  // namespace vit::kernels

namespace vit::test {

constinit static const kernels::FusedLinears<kernels::BFloat16> linears =
    plain_tile_linears<kernels::PlainTilesOnBaseline>();
constinit const kernels::Int8Table plain_int8_tiles_on_baseline =
    kernels::make_int8_tile_table<kernels::PlainTilesOnBaseline,
                                  kernels::PlainTiles<kernels::PlainTilesOnBaseline>>("plain_tiles",
                                                                                      false);
constinit const kernels::Bf16Table plain_tiles_on_baseline =
    make_plain_tiles<kernels::PlainTilesOnBaseline>(&linears);

}  // namespace vit::test
