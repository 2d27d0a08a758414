// Compiled for AVX-512 with AVX512_BF16 (flags in engine/CMakeLists.txt): nothing but the kernel
// templates and xsimd may be included here.
#include "engine/kernels/isa_tables.h"
#include "engine/kernels/make_table.h"

namespace vit::kernels {

struct Avx512Bf16 {};

template <>
struct XsimdArch<Avx512Bf16> {
    using type = xsimd::avx512bw;
};

namespace {

void round_all(const float* in, BFloat16* out, std::size_t count) {
    using A = Avx512Bf16;
    std::size_t i = 0;
    for (; i + width<A> <= count; i += width<A>) store<A>(out + i, load<A>(in + i));
    if (i < count) store_partial<A>(out + i, count - i, load_partial<A>(in + i, count - i, 0.0F));
}

}  // namespace

constinit const Bf16Table avx512_bf16_table = {
    .layer_norm = layer_norm<Avx512Bf16, BFloat16>,
    .rms_norm = rms_norm<Avx512Bf16, BFloat16>,
    .multiply = multiply<Avx512Bf16, BFloat16>,
    .activations = activations<Avx512Bf16, BFloat16>(),
    .attention = attention<Avx512Bf16, BFloat16>(),
    .round = round_all,
};

}  // namespace vit::kernels
