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

/// One line of JSON. Throws Error(model) when the header makes no sense or holds text that is not
/// UTF-8.
std::string to_json(const ModelHeader& header);

/// The reverse of to_json. `file` is for messages. Throws Error(format) when `text` is no JSON of
/// bounded size and depth, Error(model) naming the key that is missing, unknown or of the wrong
/// kind, or the number that makes no sense.
ModelHeader model_header_from_json(std::string_view text, std::string_view file);

/// validate(config), and the same for the rest: as many labels as classes, finite mean and std, …
void validate(const ModelHeader& header);

}  // namespace vit::inline internal
