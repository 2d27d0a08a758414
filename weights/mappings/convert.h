// A checkpoint as a model: what vit-convert does, without files being written.
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
    std::string arch_by = "--arch";   ///< who says so, for messages
    /// Of tensors' names: the model is what lies under it. Needed where several models do.
    std::optional<std::string> prefix;
    std::optional<ImageSize>
        image_size;  ///< another than the checkpoint's: resizes the position table
    std::optional<std::string> labels;   ///< text of a labels file: one a line, or JSON
    std::string labels_name = "labels";  ///< for messages
    std::string converter;               ///< for the provenance
};

/// Ready for write_model_file. The tensors are views into the checkpoint, which `storage` keeps
/// alive, or into `owned`.
struct Converted {
    ModelHeader header;        ///< without a self-test
    std::string_view library;  ///< whose checkpoint it is, as sources.cpp names it: "timm", …
    std::vector<TensorView> tensors;
    std::vector<ReportLine> keys;           ///< every configuration key: used, or dropped and why
    std::vector<ReportLine> tensor_report;  ///< every tensor of the checkpoint, likewise,
                                            ///< and what stands among them and is none
    std::vector<std::shared_ptr<const std::vector<float>>> owned;
    std::shared_ptr<const void> storage;
};

/// Every tensor and every configuration key is used, dropped with a reason, or an error that names
/// it. Throws Error(usage) where an architecture has to be named or --arch names none,
/// Error(format) and Error(model) for what the checkpoint says; messages begin with the file.
/// Thread-safe.
Converted convert(const Checkpoint& checkpoint, const ConvertOptions& options = {});

}  // namespace vit::inline internal
