// The tables that the isa_*.cpp files define. Built by the compiler, never by code at start: that
// code would be compiled with the flags of its file.
#pragma once

#include "engine/kernels/kernels.h"

namespace vit::inline internal::kernels {

extern const Table baseline_table;
extern const Table avx2_table;
extern const Table avx512_table;
extern const Table avx512_linears_table;  ///< the same with linears of our own
extern const Table amx_table;             ///< runs on AVX-512: tiles multiply no float32
extern const Bf16Table avx512_bf16_table;
/// The same with attention that multiplies float32.
extern const Bf16Table avx512_bf16_f32_attention_table;
extern const Bf16Table amx_bf16_table;

}  // namespace vit::inline internal::kernels
