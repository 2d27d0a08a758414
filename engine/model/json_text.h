// JSON from files, read so that no text can exhaust the stack.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace vit::inline internal {

/// Objects and lists in each other, at most: destroying, printing or copying a value takes stack
/// for each. What describes a model has fewer than ten.
inline constexpr int most_json_levels = 100;

/// The value that `text` of the file `where` holds; `watch` sees every event, as nlohmann's parser
/// calls it. Throws Error(format) that starts with `where` for anything but one value, for a NUL
/// byte and for more than most_json_levels.
nlohmann::json parse_json(const std::string& text, const std::string& where,
                          const nlohmann::json::parser_callback_t& watch = nullptr);

/// The same, or null where that would throw Error(format).
nlohmann::json json_or_null(const std::string& text);

}  // namespace vit::inline internal
