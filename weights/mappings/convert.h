// Converts a checkpoint to a model, without writing files.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/model_file.h"
#include "weights/mappings/common/report.h"
#include "weights/readers/checkpoint.h"

namespace vit::inline internal {

struct ConvertOptions {
    std::optional<std::string> arch;  ///< timm's NAME or NAME.TAG
    std::string arch_by = "--arch";   ///< the source of `arch`, for messages
    /// The model is the part whose tensor names begin with this prefix. Needed where a checkpoint
    /// holds several models.
    std::optional<std::string> prefix;
    std::optional<ImageSize>
        image_size;  ///< if it differs from the checkpoint's, resizes the position table
    std::optional<std::string> labels;   ///< text of a labels file: one label per line, or JSON
    std::string labels_name = "labels";  ///< for messages
    std::string converter;               ///< for the provenance
};

/// Ready for write_model_file. The tensors are views into the checkpoint, which `storage` keeps
/// alive, or into `owned`.
struct Converted {
    ModelHeader header;        ///< without a self-test
    std::string_view library;  ///< the library of the checkpoint, as in sources.cpp: "timm", …
    std::vector<TensorView> tensors;
    std::vector<ReportLine> keys;           ///< every configuration key: used, or why it is dropped
    std::vector<ReportLine> tensor_report;  ///< the same for every entry of the weights,
                                            ///< also those that are not tensors
    std::vector<std::shared_ptr<const std::vector<float>>> owned;
    std::shared_ptr<const void> storage;
};

/// Every tensor and every configuration key is used, dropped with a reason, or named by an error.
/// Throws Error(usage) where an architecture must be named, or --arch names an unknown one, and
/// Error(format) or Error(model) for faults of the checkpoint. Messages begin with the file.
/// Thread-safe.
Converted convert(const Checkpoint& checkpoint, const ConvertOptions& options = {});

}  // namespace vit::inline internal
