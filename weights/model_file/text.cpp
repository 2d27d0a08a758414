#include "weights/model_file/text.h"

#include <fmt/format.h>

namespace vit {

namespace {

constexpr std::size_t longest_shown = 200;  // bytes; a name from a file may be 100 MB

}  // namespace

std::size_t utf8_sequence(std::string_view text) noexcept {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    if (text.empty()) return 0;
    const unsigned char first = at(0);
    if (first < 0x80) return 1;
    std::size_t length = 0;
    // The second byte's range shuts out overlong forms, surrogates and what lies beyond U+10FFFF.
    unsigned char low = 0x80, high = 0xBF;
    if (first >= 0xC2 && first <= 0xDF) {
        length = 2;
    } else if (first >= 0xE0 && first <= 0xEF) {
        length = 3;
        if (first == 0xE0) low = 0xA0;
        if (first == 0xED) high = 0x9F;
    } else if (first >= 0xF0 && first <= 0xF4) {
        length = 4;
        if (first == 0xF0) low = 0x90;
        if (first == 0xF4) high = 0x8F;
    } else {
        return 0;
    }
    if (text.size() < length || at(1) < low || at(1) > high) return 0;
    for (std::size_t i = 2; i < length; ++i)
        if (at(i) < 0x80 || at(i) > 0xBF) return 0;
    return length;
}

bool is_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        const std::size_t length = utf8_sequence(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

std::string in_quotes(std::string_view text) {
    std::string out = "'";
    const auto append = [&out](std::string_view part) {
        while (!part.empty()) {
            const auto byte = static_cast<unsigned char>(part[0]);
            const std::size_t length = utf8_sequence(part);
            // U+0080 to U+009F are control characters to a terminal too.
            const bool c1 =
                length == 2 && byte == 0xC2 && static_cast<unsigned char>(part[1]) < 0xA0;
            if (length == 0 || byte < 0x20 || byte == 0x7F || c1) {
                out += fmt::format("\\x{:02x}", byte);
                part.remove_prefix(1);
                continue;
            }
            if (byte == '\'' || byte == '\\') out += '\\';
            out += part.substr(0, length);
            part.remove_prefix(length);
        }
    };
    if (text.size() <= longest_shown) {
        append(text);
    } else {
        append(text.substr(0, longest_shown / 2));
        out += fmt::format("... ({} bytes) ...", text.size());
        append(text.substr(text.size() - longest_shown / 4));
    }
    out += '\'';
    return out;
}

}  // namespace vit
