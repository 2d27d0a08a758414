#include "tools/manual/wrap.h"

namespace vit::tools {

namespace {

/// Characters of UTF-8 text.
std::size_t characters(std::string_view text) {
    std::size_t count = 0;
    for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
    return count;
}

}  // namespace

std::vector<std::string_view> split(std::string_view text, std::string_view separator) {
    std::vector<std::string_view> parts;
    while (true) {
        const std::size_t at = text.find(separator);
        parts.push_back(text.substr(0, at));
        if (at == std::string_view::npos) return parts;
        text.remove_prefix(at + separator.size());
    }
}

std::vector<std::string> wrap(std::string_view paragraph, std::size_t width) {
    std::vector<std::string> lines;
    std::string line;
    for (const std::string_view by_newline : split(paragraph, "\n"))
        for (const std::string_view word : split(by_newline, " ")) {
            if (word.empty()) continue;
            if (!line.empty() && characters(line) + 1 + characters(word) > width) {
                lines.push_back(line);
                line.clear();
            }
            if (!line.empty()) line += ' ';
            line += word;
        }
    if (!line.empty()) lines.push_back(line);
    return lines;
}

}  // namespace vit::tools
