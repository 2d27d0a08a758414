// Compiled for plain x86-64. Only the kernel templates and xsimd may be included here.
#include "engine/kernels/int8_linear.h"
#include "engine/kernels/isa_tables.h"
#include "engine/kernels/make_table.h"

namespace vit::inline internal::kernels {

constinit const Table baseline_table = make_table<xsimd::sse2>(Isa::baseline);
constinit const Int8Table baseline_int8_table =
    make_int8_table<xsimd::sse2, PlainDot<xsimd::sse2>>("baseline");

}  // namespace vit::inline internal::kernels
