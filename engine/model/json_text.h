// Reads JSON from files. No text can exhaust the stack.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace vit::inline internal {

/// The deepest nesting of objects and lists. Destroying, printing or copying a value needs stack
/// for each level. Descriptions of models have fewer than ten levels.
inline constexpr int most_json_levels = 100;

/// Parses `text` from the file `where`. `watch` sees every event, as in nlohmann's parser. Throws
/// Error(format) that starts with `where` where the text is not exactly one value, contains a NUL
/// byte or has more than most_json_levels levels.
nlohmann::json parse_json(const std::string& text, const std::string& where,
                          const nlohmann::json::parser_callback_t& watch = nullptr);

/// The same, but returns null instead of throwing Error(format).
nlohmann::json json_or_null(const std::string& text);

}  // namespace vit::inline internal
