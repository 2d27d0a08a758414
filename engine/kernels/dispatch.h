// The choice of a table from a name.
#pragma once

#include <optional>
#include <string>

#include "engine/kernels/kernels.h"

namespace vit::kernels {

/// The best table of this CPU, or the one that `forced` names (baseline, avx2, avx512 or amx).
/// Throws Error: usage for an unknown name, unsupported for one that this CPU cannot run.
const Table& choose_table(const std::optional<std::string>& forced);

}  // namespace vit::kernels
