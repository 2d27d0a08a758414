// Compiled for plain x86-64. Only the kernel templates and xsimd may be included here.
#include "engine/kernels/isa_tables.h"
#include "engine/kernels/make_table.h"

namespace vit::inline internal::kernels {

constinit const Table baseline_table = make_table<xsimd::sse2>(Isa::baseline);

}  // namespace vit::inline internal::kernels
