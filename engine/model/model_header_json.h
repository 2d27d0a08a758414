// ModelHeader as the JSON text in a model file's metadata (docs/model-file.md).
#pragma once

#include <string>
#include <string_view>

#include "engine/model/model_file.h"

namespace vit::inline internal {

/// The keys of a model file's metadata, and the value of the first.
inline constexpr const char* metadata_format_key = "format";
inline constexpr const char* metadata_format = "vit";
inline constexpr const char* metadata_header_key = "vit";

/// Returns one line of JSON. Throws Error(model) where the header is invalid or has text that is
/// not UTF-8.
std::string to_json(const ModelHeader& header);

/// The reverse of to_json. `file` is for messages. Throws Error(format) where `text` is not JSON,
/// too long or too deep. Throws Error(model) with the name of a key that is missing, unknown or of
/// the wrong type, or of a number that is invalid.
ModelHeader model_header_from_json(std::string_view text, std::string_view file);

/// Calls validate(config) and checks the rest: as many labels as classes, finite mean and std, …
void validate(const ModelHeader& header);

}  // namespace vit::inline internal
