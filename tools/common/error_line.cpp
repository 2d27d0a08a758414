#include "tools/common/error_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <iterator>
#include <new>
#include <system_error>

namespace vit::tools {

namespace {

/// Length of the well-formed UTF-8 sequence at the start of `text`; 0 if there is none.
std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto in = [&](std::size_t i, unsigned low, unsigned high) {
        return i < text.size() && byte(i) >= low && byte(i) <= high;
    };
    const unsigned lead = byte(0);
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead <= 0xDF) return in(1, 0x80, 0xBF) ? 2 : 0;
    if (lead >= 0xE0 && lead <= 0xEF) {
        const unsigned low = lead == 0xE0 ? 0xA0 : 0x80;
        const unsigned high = lead == 0xED ? 0x9F : 0xBF;
        return in(1, low, high) && in(2, 0x80, 0xBF) ? 3 : 0;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        const unsigned low = lead == 0xF0 ? 0x90 : 0x80;
        const unsigned high = lead == 0xF4 ? 0x8F : 0xBF;
        return in(1, low, high) && in(2, 0x80, 0xBF) && in(3, 0x80, 0xBF) ? 4 : 0;
    }
    return 0;
}

struct Range {
    std::uint32_t first;
    std::uint32_t last;
};
// Invisible characters that end a line, change the text direction or hide other text.
constexpr Range hidden[] = {
    {0x00, 0x1F},     {0x7F, 0x9F},     {0x061C, 0x061C}, {0x180E, 0x180E}, {0x200B, 0x200F},
    {0x2028, 0x202E}, {0x2060, 0x206F}, {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0xE0000, 0xE007F},
};

/// `sequence` must be one well-formed UTF-8 character.
bool is_hidden(std::string_view sequence) {
    constexpr std::uint32_t lead_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    std::uint32_t code = static_cast<unsigned char>(sequence[0]) & lead_bits[sequence.size()];
    for (const char c : sequence.substr(1))
        code = (code << 6) | (static_cast<unsigned char>(c) & 0x3Fu);
    return std::any_of(std::begin(hidden), std::end(hidden), [&](const Range& range) {
        return code >= range.first && code <= range.last;
    });
}

// Limits, because an argument can be 128 KiB long.
constexpr std::size_t longest_message = 1500;
constexpr std::size_t longest_place = 1000;

/// Returns `text` with its middle left out if it is longer than `longest`.
std::string shortened(std::string_view text, std::size_t longest) {
    if (text.size() <= longest) return std::string(text);
    return fmt::format("{}... ({} bytes) ...{}", text.substr(0, 300), text.size(),
                       text.substr(text.size() - 100));
}

}  // namespace

std::string escape_control(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const char lead = text[0];
        std::size_t length = utf8_length(text);
        if (lead == '\n') {
            out += "\\n";
        } else if (lead == '\t') {
            out += "\\t";
        } else if (lead == '\r') {
            out += "\\r";
        } else if (length == 0 || is_hidden(text.substr(0, length))) {
            if (length == 0) length = 1;
            for (const char c : text.substr(0, length))
                out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        } else {
            out += text.substr(0, length);
        }
        text.remove_prefix(length);
    }
    return out;
}

int exit_status(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::usage:
            return exit_usage;
        case ErrorKind::io:
            return exit_io;
        case ErrorKind::format:
        case ErrorKind::model:
        case ErrorKind::unsupported:
        case ErrorKind::memory:  // of the model: image code handles its own
            return exit_model_refused;
        case ErrorKind::input:
        case ErrorKind::internal:
            return exit_some_inputs_failed;
    }
    return exit_some_inputs_failed;
}

std::string error_line(std::string_view tool, std::string_view what, std::string_view where) {
    std::string line = fmt::format("{}: error: {}", tool, shortened(what, longest_message));
    if (!where.empty() && what.find(where) == std::string_view::npos)
        line += fmt::format(" ({})", shortened(where, longest_place));
    return escape_control(line);
}

int run_tool(std::string_view tool, const std::function<int()>& body,
             const std::function<std::string()>& where) {
    const auto report = [&](std::string_view what, int status) {
        const std::string place = where ? where() : std::string();
        std::fprintf(stderr, "%s\n", error_line(tool, what, place).c_str());
        return status;
    };
    try {
        return body();
    } catch (const Error& error) {
        return report(error.what(), exit_status(error.kind()));
    } catch (const std::bad_alloc&) {
        return report("not enough memory", exit_status(ErrorKind::memory));
    } catch (const std::system_error& error) {  // std::filesystem::filesystem_error is one of these
        return report(error.what(), exit_io);
    } catch (const std::exception& error) {
        return report(std::string("unexpected: ") + error.what(), exit_status(ErrorKind::internal));
    }
}

}  // namespace vit::tools
