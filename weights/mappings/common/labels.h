// Names of classes.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace vit::inline internal {

/// `value` is a list of names, or an object from class number to name. A class that is missing in
/// the object gets its number as its name. `where` names the source in messages. Throws
/// Error(model) unless there are `num_classes` names.
std::vector<std::string> labels_from_json(const nlohmann::json& value, const std::string& where,
                                          std::int64_t num_classes);

/// Reads the bytes of a labels file: JSON as above if it begins with [ or {, and otherwise one name
/// per line. Throws Error(format) for malformed JSON or bytes that are not UTF-8, and Error(model).
std::vector<std::string> parse_labels(const std::string& text, const std::string& where,
                                      std::int64_t num_classes);

}  // namespace vit::inline internal
