// Reads preprocessor_config.json: transformers' image processors as this engine's preprocessing.
#pragma once

#include <string>
#include <vector>

#include "engine/model/model_config.h"
#include "weights/mappings/common/report.h"

namespace vit::inline internal {

/// `text` is that of preprocessor_config.json, or of a processor_config.json that has an
/// `image_processor`. The result gives the same pixels as the processors do with Pillow. Adds a
/// line for every key to `report`. Throws Error(format) for malformed JSON, and Error(model) with
/// the name of a key that is unknown, of a wrong type, or needs preprocessing that the engine does
/// not have.
Preprocessing read_image_processor(const std::string& text, std::vector<ReportLine>& report);

}  // namespace vit::inline internal
