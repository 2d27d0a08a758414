#include "tools/evaluation/class_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "engine/base/text.h"
#include "tools/evaluation/text_file.h"
#include "vit/error.h"

namespace vit::tools {

namespace {

constexpr std::string_view blanks = " \t\r";

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

struct NamedClass {
    std::string_view name;
    std::int64_t index;
};

/// "NAME INDEX"; empty where the line does not end with a number after a blank.
std::optional<NamedClass> name_and_index(std::string_view line) {
    const std::size_t at = line.find_last_of(blanks);
    if (at == std::string_view::npos) return {};
    const auto index = parse_index(line.substr(at + 1));
    if (!index) return {};
    return NamedClass{trimmed(line.substr(0, at)), *index};
}

}  // namespace

std::string label_of(const ClassNames& classes, std::int64_t index) {
    const auto i = static_cast<std::size_t>(index);
    if (i < classes.labels.size() && !classes.labels[i].empty()) return classes.labels[i];
    return std::to_string(index);
}

std::optional<std::int64_t> class_with_label(const ClassNames& classes, std::string_view label,
                                             std::string_view where) {
    if (label.empty()) return {};
    const auto& labels = classes.labels;
    const auto first = std::ranges::find(labels, label);
    if (first == labels.end()) return {};
    const auto second = std::find(first + 1, labels.end(), label);
    if (second != labels.end())
        throw Error(
            ErrorKind::input,
            fmt::format("{}: {} is the label of both class {} and class {}; name classes "
                        "by their index, or use --class-map",
                        where, in_quotes(label), first - labels.begin(), second - labels.begin()));
    return first - labels.begin();
}

ClassIndex read_class_map(const std::filesystem::path& path, const ClassNames& classes) {
    const std::string text = read_text_file(path, "class map");
    std::vector<std::string_view> lines;
    for (std::string_view rest = text; !rest.empty();) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        lines.push_back(trimmed(rest.substr(0, end)));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    while (!lines.empty() && lines.back().empty()) lines.pop_back();
    const bool indexed =
        std::ranges::all_of(lines, [](auto line) { return name_and_index(line).has_value(); });

    const auto fail = [&](std::size_t line, const std::string& what) {
        throw Error(ErrorKind::input,
                    fmt::format("{}: line {}: {}", in_quotes(path.native()), line + 1, what));
    };
    if (lines.empty()) fail(0, "expected a name of a class on each line, found none");
    ClassIndex index;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const NamedClass found = indexed ? *name_and_index(lines[i])
                                         : NamedClass{lines[i], static_cast<std::int64_t>(i)};
        if (found.name.empty()) fail(i, "expected the name of a class, found nothing");
        if (classes.complete && found.index >= classes.count)
            fail(i, fmt::format("expected a class from 0 to {}, found {}", classes.count - 1,
                                found.index));
        if (!index.emplace(found.name, found.index).second)
            fail(i, fmt::format("{} was named before; expected every name once",
                                in_quotes(found.name)));
    }
    return index;
}

std::optional<std::int64_t> parse_index(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size() || value < 0)
        return {};
    return value;
}

}  // namespace vit::tools
