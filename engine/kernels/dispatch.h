// Chooses a kernel table by name or by CPU.
#pragma once

#include <optional>
#include <string>

#include "engine/base/cpu.h"
#include "engine/kernels/kernels.h"

namespace vit::inline internal::kernels {

/// The best table of this CPU, or the one that `forced` names (baseline, avx2, avx512 or amx).
/// Throws Error: usage for an unknown name, unsupported for one that this CPU cannot run.
const Table& choose_table(const std::optional<std::string>& forced);

/// The kernels for a CPU with AVX-512 from this vendor.
const Table& avx512_table_of(CpuVendor vendor) noexcept;

/// The bfloat16 kernels for a CPU from this vendor with AVX512_BF16 and without tiles.
const Bf16Table& avx512_bf16_table_of(CpuVendor vendor) noexcept;

}  // namespace vit::inline internal::kernels
