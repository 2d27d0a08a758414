#include "engine/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace vit::inline internal {

namespace {

constexpr std::size_t longest_shown = 200;  // bytes; a name from a file may be 100 MB

struct Range {
    std::uint32_t first;
    std::uint32_t last;
};
// Invisible characters that end lines, or that reverse or hide other text.
constexpr Range hidden[] = {
    {0x00, 0x1F},     {0x7F, 0x9F},     {0x061C, 0x061C}, {0x180E, 0x180E}, {0x200B, 0x200F},
    {0x2028, 0x202E}, {0x2060, 0x206F}, {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0xE0000, 0xE007F},
};

/// `sequence` must be one well-formed character.
bool is_hidden(std::string_view sequence) {
    constexpr std::uint32_t lead_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    std::uint32_t code = static_cast<unsigned char>(sequence[0]) & lead_bits[sequence.size()];
    for (const char c : sequence.substr(1))
        code = (code << 6) | (static_cast<unsigned char>(c) & 0x3Fu);
    return std::any_of(std::begin(hidden), std::end(hidden), [&](const Range& range) {
        return code >= range.first && code <= range.last;
    });
}

}  // namespace

std::size_t utf8_sequence(std::string_view text) noexcept {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    if (text.empty()) return 0;
    const unsigned char first = at(0);
    if (first < 0x80) return 1;
    std::size_t length = 0;
    // The range of the second byte excludes overlong forms, surrogates and code points above
    // U+10FFFF.
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

std::size_t append_visible(std::string& out, std::string_view text) {
    const std::size_t length = utf8_sequence(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(length, 1));
    if (length != 0 && !is_hidden(character))
        out += character;
    else
        for (const char c : character)
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    return character.size();
}

std::string in_quotes(std::string_view text) {
    std::string out = "'";
    const auto append = [&out](std::string_view part) {
        while (!part.empty()) {
            if (part[0] == '\'' || part[0] == '\\') out += '\\';
            part.remove_prefix(append_visible(out, part));
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

}  // namespace vit::inline internal
