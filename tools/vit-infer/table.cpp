#include "tools/vit-infer/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <vector>

#include "engine/base/text.h"
#include "tools/common/error_line.h"

namespace vit::infer {

namespace {

/// The characters of UTF-8 text.
std::vector<std::string_view> characters_of(std::string_view text) {
    std::vector<std::string_view> characters;
    while (!text.empty()) {
        const std::size_t length = std::max<std::size_t>(utf8_sequence(text), 1);
        characters.push_back(text.substr(0, length));
        text.remove_prefix(length);
    }
    return characters;
}

/// Exactly `width` characters. The end of a file's name matters more than its beginning.
std::string fit(const std::string& text, std::size_t width, bool keep_end, bool utf8) {
    const std::vector<std::string_view> all = characters_of(text);
    if (all.size() <= width) return text + std::string(width - all.size(), ' ');
    const std::string_view mark = utf8 ? "…" : "~";
    std::string kept;
    const std::size_t from = keep_end ? all.size() - (width - 1) : 0;
    for (std::size_t i = from; i < from + width - 1; ++i) kept += all[i];
    return keep_end ? fmt::format("{}{}", mark, kept) : fmt::format("{}{}", kept, mark);
}

/// A bar of `width` characters for a share from 0 to 1; an eighth of a character is visible.
std::string bar_of(double share, std::size_t width, bool utf8) {
    constexpr std::string_view eighths[]{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    const auto parts = static_cast<std::size_t>(
        std::clamp(share, 0.0, 1.0) * static_cast<double>(8 * width) + 0.5);
    std::string bar;
    for (std::size_t i = 0; i < parts / 8; ++i) bar += utf8 ? "█" : "#";
    if (utf8) bar += eighths[parts % 8];
    return bar;
}

std::string coloured(const tools::Terminal& terminal, std::string_view code,
                     const std::string& text) {
    return terminal.colours ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
}

constexpr std::string_view red = "31", yellow = "33", blue = "34", bold = "1";

}  // namespace

void append_table_rows(std::string& out, const tools::Terminal& terminal, OutputType type,
                       const Record& record) {
    const auto columns = static_cast<std::size_t>(std::clamp(terminal.columns, 40, 160));
    const std::size_t name_width = std::min<std::size_t>(columns * 3 / 10, 40),
                      bar_width = std::min<std::size_t>(columns / 5, 20), number_width = 7,
                      label_width = columns - name_width - bar_width - number_width - 7;
    const std::string name =
        fit(tools::escape_control(record.file), name_width, true, terminal.utf8);
    auto to = std::back_inserter(out);
    if (!record.error.empty()) {
        fmt::format_to(
            to, "{}  {}\n", name,
            coloured(terminal, red, "error: " + tools::escape_control(error_alone(record))));
        return;
    }
    if (!record.warning.empty())
        fmt::format_to(
            to, "{}  {}\n", name,
            coloured(terminal, yellow, "warning: " + tools::escape_control(record.warning)));
    if (record.predictions.empty()) fmt::format_to(to, "{}\n", name);
    bool first = true;
    for (const Prediction& each : record.predictions) {
        const std::string label =
            fit(tools::escape_control(each.label), label_width, false, terminal.utf8);
        const std::string number =
            type == OutputType::prob
                ? fmt::format("{:5.1f} %", 100 * static_cast<double>(each.probability))
                : fmt::format("{:7.3f}", each.logit);
        fmt::format_to(
            to, "{}  {}  {}  {}\n",
            first && record.warning.empty() ? name : std::string(name_width, ' '),
            first ? coloured(terminal, bold, label) : label, number,
            coloured(terminal, blue,
                     bar_of(static_cast<double>(each.probability), bar_width, terminal.utf8)));
        first = false;
    }
}

}  // namespace vit::infer
