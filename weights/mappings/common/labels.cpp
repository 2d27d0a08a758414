#include "weights/mappings/common/labels.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <string_view>

#include "engine/base/text.h"
#include "engine/model/json_text.h"
#include "vit/error.h"

namespace vit::inline internal {

namespace {

void check_number(std::size_t found, const std::string& where, std::int64_t num_classes) {
    if (static_cast<std::int64_t>(found) != num_classes)
        throw Error(ErrorKind::model, fmt::format("{}: expected {} labels, one per class, found {}",
                                                  where, num_classes, found));
}

std::string name_of(const nlohmann::json& value, const std::string& where) {
    if (value.is_string()) return value.get<std::string>();
    if (value.is_number_integer()) return value.dump();
    throw Error(ErrorKind::model,
                fmt::format("{}: expected texts, found {}", where, value.type_name()));
}

}  // namespace

std::vector<std::string> labels_from_json(const nlohmann::json& value, const std::string& where,
                                          std::int64_t num_classes) {
    std::vector<std::string> labels;
    if (value.is_array()) {
        for (const nlohmann::json& name : value) labels.push_back(name_of(name, where));
        check_number(labels.size(), where, num_classes);
        return labels;
    }
    if (!value.is_object())
        throw Error(ErrorKind::model,
                    fmt::format("{}: expected a list or an object of number to name, found {}",
                                where, value.type_name()));
    for (std::int64_t i = 0; i < num_classes; ++i) labels.push_back(std::to_string(i));
    for (const auto& [key, name] : value.items()) {
        std::int64_t index = -1;
        const auto parsed = std::from_chars(key.data(), key.data() + key.size(), index);
        if (parsed.ec != std::errc() || parsed.ptr != key.data() + key.size() || index < 0 ||
            index >= num_classes)
            throw Error(ErrorKind::model,
                        fmt::format("{}: expected class numbers 0 to {}, found {}", where,
                                    num_classes - 1, in_quotes(key)));
        labels[static_cast<std::size_t>(index)] = name_of(name, where);
    }
    return labels;
}

std::vector<std::string> parse_labels(const std::string& text, const std::string& where,
                                      std::int64_t num_classes) {
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    if (first != std::string::npos && (text[first] == '[' || text[first] == '{'))
        return labels_from_json(parse_json(text, where), where, num_classes);
    if (!is_utf8(text)) throw Error(ErrorKind::format, where + ": not UTF-8 text");
    std::vector<std::string> labels;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        std::string_view line(text.data() + begin, end - begin);
        if (line.ends_with('\r')) line.remove_suffix(1);
        labels.emplace_back(line);
        begin = end + 1;
    }
    while (static_cast<std::int64_t>(labels.size()) > num_classes && labels.back().empty())
        labels.pop_back();  // blank lines at the end
    check_number(labels.size(), where, num_classes);
    return labels;
}

}  // namespace vit::inline internal
