// Compiled for AVX-512 with AVX512_BF16 (flags in engine/CMakeLists.txt). Only the kernel templates
// and xsimd may be included here. Tiles need no flag, because their instructions are written as
// assembly.
#include "engine/kernels/int8_tiles.h"
#include "engine/kernels/isa_tables.h"
#include "engine/kernels/make_table.h"
#include "engine/kernels/tile_attention.h"
#include "engine/kernels/tile_linear.h"

namespace vit::inline internal::kernels {

struct Amx {};

template <>
struct XsimdArch<Amx> {
    using type = xsimd::avx512bw;
};

namespace {

constinit const FusedLinears<BFloat16> linears = tile_linears<Amx, AmxTiles<Amx>>(true);

}  // namespace

constinit const Bf16Table amx_bf16_table = make_bf16_table<Amx>(
    attention_kernels<TileAttention<Amx, AmxTiles<Amx>>, BFloat16>(), &linears);

constinit const Int8Table amx_int8_table = make_int8_tile_table<Amx, AmxTiles<Amx>>("amx", true);

}  // namespace vit::inline internal::kernels
