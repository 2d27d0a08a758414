// Makes names from files safe to print in a one-line message.
#pragma once

#include <string>
#include <string_view>

namespace vit::inline internal {

/// `text` in single quotes. Bytes of control characters become \xNN, and so do those of characters
/// that end lines, or that reverse or hide other text (U+2028, U+202E). Quote and backslash are
/// escaped. The middle of a very long text is left out. Bytes that are not UTF-8 are escaped too,
/// so the result is always valid UTF-8.
std::string in_quotes(std::string_view text);

/// True for well-formed UTF-8 (no overlong forms, no surrogates, at most U+10FFFF).
bool is_utf8(std::string_view text) noexcept;

/// Appends the first character of `text`, which must not be empty, and returns its length in bytes.
/// Bytes that are not UTF-8 are appended as \xNN; so are characters that end lines, reverse the
/// direction of text or hide text.
std::size_t append_visible(std::string& out, std::string_view text);

/// Length of the well-formed UTF-8 sequence at the start of `text`; 0 where there is none.
std::size_t utf8_sequence(std::string_view text) noexcept;

}  // namespace vit::inline internal
