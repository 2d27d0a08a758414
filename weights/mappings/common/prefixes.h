// Models inside of larger modules: Lightning's `model.`, EMA copies, a student beside its teacher.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "weights/mappings/common/report.h"
#include "weights/readers/checkpoint.h"

namespace vit::inline internal {

/// The tensors of a checkpoint that lie under one prefix.
struct Selection {
    Checkpoint checkpoint;            ///< names without the prefix
    std::string prefix;               ///< what was taken off; "" where nothing was
    std::vector<ReportLine> outside;  ///< tensors that lie elsewhere, by their whole names
};

/// Takes the tensors under `asked`, else under the one prefix where a Vision Transformer begins, or
/// all of them where none begins. Throws Error(usage) where several begin, naming them, and where
/// no tensor lies under `asked`.
Selection select_prefix(const Checkpoint& checkpoint, const std::optional<std::string>& asked);

}  // namespace vit::inline internal
