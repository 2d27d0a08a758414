// The kernel tables that this CPU can run, and the choice of one by name or by CPU.
#pragma once

#include <optional>
#include <string>

#include "engine/base/cpu.h"
#include "engine/kernels/kernels.h"

namespace vit::inline internal::kernels {

/// The table of one instruction set. `baseline` always exists.
const Table* table_for(Isa isa) noexcept;  ///< nullptr: not built in, or this CPU lacks it

/// nullptr: that instruction set has no bfloat16 kernels, or this CPU lacks AVX512_BF16.
const Bf16Table* bf16_table_for(Isa isa) noexcept;

const char* isa_name(Isa isa) noexcept;

/// The best table for this CPU, or the one that the environment variable VIT_ISA names (baseline,
/// avx2, avx512, amx). Throws Error (usage, unsupported) where the name is unknown or this CPU
/// cannot run the table. Call it once when a model is loaded, and keep the result. Tables are never
/// freed.
const Table& select_table();

/// The best table of this CPU, or the one that `forced` names (baseline, avx2, avx512 or amx).
/// Throws Error: usage for an unknown name, unsupported for one that this CPU cannot run.
const Table& choose_table(const std::optional<std::string>& forced);

/// The kernels for this CPU, which has AVX-512.
const Table& avx512_table_of(const CpuFeatures& cpu) noexcept;

/// The bfloat16 kernels for a CPU from this vendor with AVX512_BF16 and without tiles.
const Bf16Table& avx512_bf16_table_of(CpuVendor vendor) noexcept;

}  // namespace vit::inline internal::kernels
