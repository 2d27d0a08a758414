// Compiled for AVX-512 with AVX512_VNNI and AVX512_BF16 (flags in engine/CMakeLists.txt). Only the
// kernel templates and xsimd may be included here.
#include "engine/kernels/int8_linear.h"
#include "engine/kernels/isa_tables.h"

namespace vit::inline internal::kernels {

struct Avx512VnniBf16 {};

template <>
struct XsimdArch<Avx512VnniBf16> {
    using type = xsimd::avx512bw;
};

constinit const Int8Table avx512_vnni_bf16_int8_table =
    make_int8_table<Avx512VnniBf16, VnniDot<Avx512VnniBf16, Avx512VnniRow>>("avx512_vnni");

}  // namespace vit::inline internal::kernels
