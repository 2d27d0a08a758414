// Compiled with the flags of the kernels for AVX-512 with AVX512_BF16. This file may include only
// the kernel templates and xsimd.
#include "tests/support/plain_tiles_make.h"
#include "tests/support/plain_tiles_tables.h"

namespace vit::kernels {
struct PlainTilesOnAvx512 {};
template <>
struct XsimdArch<PlainTilesOnAvx512> {
    using type = xsimd::avx512bw;
};
}  // namespace vit::kernels

namespace vit::test {

constinit static const kernels::FusedLinears<kernels::BFloat16> linears =
    plain_tile_linears<kernels::PlainTilesOnAvx512>();
constinit const kernels::Bf16Table plain_tiles_on_avx512 =
    make_plain_tiles<kernels::PlainTilesOnAvx512>(&linears);

}  // namespace vit::test
