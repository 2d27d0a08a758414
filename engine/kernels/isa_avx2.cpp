// Compiled for AVX2 and FMA (flags in engine/CMakeLists.txt). Only the kernel templates and xsimd
// may be included here.
#include "engine/kernels/isa_tables.h"
#include "engine/kernels/make_table.h"

namespace vit::inline internal::kernels {

constinit const Table avx2_table = make_table<xsimd::fma3<xsimd::avx2>>(Isa::avx2);

}  // namespace vit::inline internal::kernels
