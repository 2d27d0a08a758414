// Models inside larger modules: Lightning's `model.`, EMA copies, a student and its teacher.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "weights/mappings/common/report.h"
#include "weights/readers/checkpoint.h"

namespace vit::inline internal {

/// The tensors of a checkpoint that have one prefix.
struct Selection {
    Checkpoint checkpoint;            ///< names without the prefix
    std::string prefix;               ///< the removed prefix, or ""
    std::vector<ReportLine> outside;  ///< all other tensors, with their full names
};

/// Takes the tensors with the prefix `asked`. Without it, takes those of the only Vision
/// Transformer in the checkpoint, or all tensors where none is found. Throws Error(usage) with the
/// prefixes where there are several, and where no tensor has the prefix `asked`.
Selection select_prefix(const Checkpoint& checkpoint, const std::optional<std::string>& asked);

}  // namespace vit::inline internal
