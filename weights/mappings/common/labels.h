// Reads the names of classes.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace vit::inline internal {

/// Reads a list of names, or an object of class number → name. A class that the object leaves out
/// gets its number as its name. `where` names the source in messages. Throws Error(model) where a
/// list has not `num_classes` names, where a class number is not below `num_classes`, or where a
/// name is neither text nor a whole number.
std::vector<std::string> labels_from_json(const nlohmann::json& value, const std::string& where,
                                          std::int64_t num_classes);

/// Reads the text of a labels file: JSON as above where it begins with [ or {, otherwise one name
/// per line. Throws Error(format) for malformed JSON and bytes that are not UTF-8, Error(model) as
/// above.
std::vector<std::string> parse_labels(const std::string& text, const std::string& where,
                                      std::int64_t num_classes);

}  // namespace vit::inline internal
