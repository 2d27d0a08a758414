// Compiled for AVX-512 with AVX512_BF16 (flags in engine/CMakeLists.txt). Only the kernel templates
// and xsimd may be included here.
#include "engine/kernels/isa_tables.h"
#include "engine/kernels/make_table.h"

namespace vit::inline internal::kernels {

struct Avx512Bf16 {};

template <>
struct XsimdArch<Avx512Bf16> {
    using type = xsimd::avx512bw;
};

constinit const Bf16Table avx512_bf16_table =
    make_bf16_table<Avx512Bf16>(attention<Avx512Bf16, BFloat16>(), nullptr);

constinit const Bf16Table avx512_bf16_f32_attention_table = make_bf16_table<Avx512Bf16>(
    attention_kernels<Attention<Avx512Bf16, BFloat16, float>, BFloat16>(), nullptr);

}  // namespace vit::inline internal::kernels
