// Compiled for AVX2 and FMA (flags in engine/CMakeLists.txt). Only the kernel templates and xsimd
// may be included here.
#include "engine/kernels/int8_linear.h"
#include "engine/kernels/isa_tables.h"
#include "engine/kernels/make_table.h"

namespace vit::inline internal::kernels {

using Avx2 = xsimd::fma3<xsimd::avx2>;

constinit const Table avx2_table = make_table<Avx2>(Isa::avx2);
constinit const Int8Table avx2_int8_table = make_int8_table<Avx2, Avx2Dot<Avx2>>("avx2");

}  // namespace vit::inline internal::kernels
