// preprocessor_config.json: transformers' image processors as this engine's preprocessing.
#pragma once

#include <string>
#include <vector>

#include "engine/model/model_config.h"
#include "weights/mappings/common/report.h"

namespace vit::inline internal {

/// `text` of preprocessor_config.json, or of a processor_config.json that has an `image_processor`.
/// What is computed is what the processors compute with Pillow. Every key is told about in
/// `report`. Throws Error(format) on malformed JSON, Error(model) naming a key: unknown, of a wrong
/// type, or of a preprocessing that the engine cannot do.
Preprocessing read_image_processor(const std::string& text, std::vector<ReportLine>& report);

}  // namespace vit::inline internal
