// The tables that the isa_*.cpp files define. They must be constants: code that fills them at
// program start would be compiled with the flags of its file, and the CPU might not run it.
#pragma once

#include "engine/kernels/int8_kernels.h"
#include "engine/kernels/kernels.h"

namespace vit::inline internal::kernels {

extern const Table baseline_table;
extern const Table avx2_table;
extern const Table avx512_table;
extern const Table avx512_linears_table;  ///< the same, with our own linears
extern const Table amx_table;             ///< uses AVX-512, because tiles do not multiply float32
extern const Bf16Table avx512_bf16_table;
/// The same, with attention that multiplies float32.
extern const Bf16Table avx512_bf16_f32_attention_table;
extern const Bf16Table amx_bf16_table;
extern const Int8Table baseline_int8_table;
extern const Int8Table avx2_int8_table;
extern const Int8Table avx_vnni_int8_table;
extern const Int8Table avx512_vnni_int8_table;
extern const Int8Table avx512_vnni_bf16_int8_table;  ///< the same; also converts bfloat16 fast
extern const Int8Table amx_int8_table;

}  // namespace vit::inline internal::kernels
