// Names of classes.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace vit::inline internal {

/// `value` is a list of names or an object of class number → name; a number that the object leaves
/// out is named by itself. `where` names the source in messages. Throws Error(model) unless there
/// are `num_classes` of them.
std::vector<std::string> labels_from_json(const nlohmann::json& value, const std::string& where,
                                          std::int64_t num_classes);

/// A labels file's bytes: JSON as above where it begins with [ or {, else one name a line.
/// Throws Error(format) on malformed JSON or bytes that are not UTF-8, Error(model).
std::vector<std::string> parse_labels(const std::string& text, const std::string& where,
                                      std::int64_t num_classes);

}  // namespace vit::inline internal
