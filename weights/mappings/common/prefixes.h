// Finds models inside larger modules: Lightning's `model.`, EMA copies, a student beside its
// teacher.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "weights/mappings/common/report.h"
#include "weights/readers/checkpoint.h"

namespace vit::inline internal {

/// The tensors of a checkpoint that are under one prefix.
struct Selection {
    Checkpoint checkpoint;            ///< names without the prefix
    std::string prefix;               ///< the removed prefix; "" where there is none
    std::vector<ReportLine> outside;  ///< tensors under other prefixes, with full names
};

/// Selects the tensors under `asked`. Without `asked`, selects those under the only prefix at which
/// a Vision Transformer begins, or all tensors where none begins. Throws Error(usage) with the
/// prefixes where several begin, and where no tensor is under `asked`.
Selection select_prefix(const Checkpoint& checkpoint, const std::optional<std::string>& asked);

}  // namespace vit::inline internal
