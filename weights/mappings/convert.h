// Converts a checkpoint to a model as vit-convert does, but writes no files.
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
    /// The model's tensors have names that begin with this. Needed where there are several models.
    std::optional<std::string> prefix;
    std::optional<ImageSize>
        image_size;  ///< replaces the checkpoint's size: resizes the position table
    std::optional<std::string> labels;   ///< text of a labels file: one per line, or JSON
    std::string labels_name = "labels";  ///< for messages
    std::string converter;               ///< for the provenance
};

/// A model for write_model_file. Its tensors are views into the checkpoint, which `storage` keeps
/// alive, or into `owned`.
struct Converted {
    ModelHeader header;        ///< without a self-test
    std::string_view library;  ///< the checkpoint's library, named as in sources.cpp: "timm", …
    std::vector<TensorView> tensors;
    std::vector<ReportLine> keys;           ///< every configuration key: used, or dropped and why
    std::vector<ReportLine> tensor_report;  ///< the same for every tensor and other entry
    std::vector<std::shared_ptr<const std::vector<float>>> owned;
    std::shared_ptr<const void> storage;
};

/// Converts a checkpoint. Uses every tensor and every configuration key, drops it with a reason, or
/// throws an Error that names it. Throws Error(usage) where --arch is needed or names no known
/// architecture, and Error(format) or Error(model) where the checkpoint or its configuration is
/// wrong. Messages begin with the file's path where it is known. Thread-safe.
Converted convert(const Checkpoint& checkpoint, const ConvertOptions& options = {});

}  // namespace vit::inline internal
