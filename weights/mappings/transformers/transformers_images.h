// Converts transformers' image processors (preprocessor_config.json) to this engine's
// preprocessing.
#pragma once

#include <string>
#include <vector>

#include "engine/model/model_config.h"
#include "weights/mappings/common/report.h"

namespace vit::inline internal {

/// Reads the `text` of preprocessor_config.json, or of a processor_config.json that has an
/// `image_processor`. The preprocessing computes the same as these processors with Pillow. Adds
/// every key to `report`. Throws Error(format) for malformed JSON, and Error(model) with the key
/// where it is unknown, has a wrong type, or needs a preprocessing that the engine cannot do.
Preprocessing read_image_processor(const std::string& text, std::vector<ReportLine>& report);

}  // namespace vit::inline internal
