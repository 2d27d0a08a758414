// Compiled for AVX-512 (flags in engine/CMakeLists.txt): nothing but the kernel templates and xsimd
// may be included here.
#include "engine/kernels/isa_tables.h"
#include "engine/kernels/make_table.h"

namespace vit::kernels {

constinit const Table avx512_table = make_table<xsimd::avx512bw>(Isa::avx512);
constinit const Table amx_table = make_table<xsimd::avx512bw>(Isa::amx);

}  // namespace vit::kernels
