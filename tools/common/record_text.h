// Text fields of JSON and CSV records, which the tools write in the same way.
#pragma once

#include <string>

namespace vit::tools {

/// A JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD.
std::string json_string(const std::string& text);

/// The shortest text that gives the same float32 when it is read. JSON has no NaN or infinity, so
/// they become null.
std::string json_number(float value);

/// A field as in RFC 4180, made valid UTF-8.
std::string csv_field(const std::string& text);

}  // namespace vit::tools
