#include "engine/model/json_text.h"

#include <fmt/format.h>

#include "vit/error.h"

namespace vit::inline internal {

using nlohmann::json;

json parse_json(const std::string& text, const std::string& where,
                const json::parser_callback_t& watch) {
    // The parser treats a NUL as the end of the text.
    if (const std::size_t nul = text.find('\0'); nul != std::string::npos)
        throw Error(ErrorKind::format,
                    fmt::format("{}: not valid JSON at byte {}: a NUL", where, nul + 1));
    const auto limited = [&](int depth, json::parse_event_t event, json& parsed) {
        if (depth > most_json_levels)
            throw Error(ErrorKind::format,
                        fmt::format("{}: JSON nested more than {} deep", where, most_json_levels));
        return !watch || watch(depth, event, parsed);
    };
    try {
        return json::parse(text, limited);
    } catch (const json::parse_error& error) {
        throw Error(ErrorKind::format,
                    fmt::format("{}: not valid JSON at byte {}", where, error.byte));
    } catch (const json::out_of_range&) {
        throw Error(ErrorKind::format, fmt::format("{}: a number is out of range", where));
    }
}

json json_or_null(const std::string& text) {
    try {
        return parse_json(text, "");
    } catch (const Error&) {
        return nullptr;
    }
}

}  // namespace vit::inline internal
