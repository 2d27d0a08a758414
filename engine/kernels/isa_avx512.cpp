// Compiled for AVX-512 (flags in engine/CMakeLists.txt). Only the kernel templates and xsimd may be
// included here.
#include "engine/kernels/isa_tables.h"
#include "engine/kernels/make_table.h"
#include "engine/kernels/vector_linear.h"

namespace vit::inline internal::kernels {

using Avx512 = xsimd::avx512bw;

namespace {

constinit const FusedLinears<float> linears = fused_linears<VectorLinear<Avx512>, float>();

}  // namespace

constinit const Table avx512_table = make_table<Avx512>(Isa::avx512);
constinit const Table avx512_linears_table = make_table<Avx512>(Isa::avx512, &linears);
constinit const Table amx_table = make_table<Avx512>(Isa::amx, &linears);

}  // namespace vit::inline internal::kernels
