// Compiled for AVX2 and FMA (flags in engine/CMakeLists.txt). Only the kernel templates and xsimd
// may be included here. AVX-VNNI needs no flag, because its instruction is written as assembly.
#include "engine/kernels/int8_linear.h"
#include "engine/kernels/isa_tables.h"

namespace vit::inline internal::kernels {

struct AvxVnni {};

template <>
struct XsimdArch<AvxVnni> {
    using type = xsimd::fma3<xsimd::avx2>;
};

constinit const Int8Table avx_vnni_int8_table =
    make_int8_table<AvxVnni, VnniDot<AvxVnni, AvxVnniRow>>("avx_vnni");

}  // namespace vit::inline internal::kernels
