#include "tools/common/class_folders.h"

#include <algorithm>
#include <compare>
#include <numeric>

namespace vit::tools {

namespace fs = std::filesystem;

namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// Takes the digits at the start of `text`, or everything before the first digit.
std::string_view take(std::string_view& text, bool digits) {
    const auto end = std::ranges::find_if(text, [&](char c) { return is_digit(c) != digits; });
    const std::string_view piece = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    text.remove_prefix(piece.size());
    return piece;
}

std::strong_ordering compare_letters(std::string_view a, std::string_view b) {
    const auto small = [](char c) {
        return static_cast<unsigned char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    };
    return std::lexicographical_compare_three_way(
        a.begin(), a.end(), b.begin(), b.end(),
        [&](char x, char y) { return small(x) <=> small(y); });
}

std::strong_ordering compare_numbers(std::string_view a, std::string_view b) {
    for (std::string_view* each : {&a, &b})
        each->remove_prefix(std::min(each->find_first_not_of('0'), each->size()));
    if (const auto order = a.size() <=> b.size(); order != 0) return order;
    return a <=> b;
}

}  // namespace

bool class_folder_less(std::string_view a, std::string_view b) {
    std::string_view x = a;
    std::string_view y = b;
    // Letters and digits take turns, beginning with letters, of which there may be none.
    for (bool digits = false; !x.empty() || !y.empty(); digits = !digits) {
        if (digits && (x.empty() || y.empty())) return x.empty();
        const std::string_view m = take(x, digits);
        const std::string_view n = take(y, digits);
        const auto order = digits ? compare_numbers(m, n) : compare_letters(m, n);
        if (order != 0) return order < 0;
    }
    return a < b;
}

std::vector<std::string> class_folders(const fs::path& folder) {
    std::vector<std::string> names;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder))
        if (entry.is_directory()) names.push_back(entry.path().filename().native());
    std::ranges::sort(names, class_folder_less);
    return names;
}

std::optional<std::vector<std::int64_t>> classes_of_folders(std::span<const std::string> names,
                                                            std::span<const std::string> labels,
                                                            std::int64_t num_classes) {
    std::vector<std::int64_t> classes;
    for (const std::string& name : names)
        if (const auto at = std::ranges::find(labels, name); at != labels.end())
            classes.push_back(at - labels.begin());
    if (classes.size() == names.size()) return classes;
    if (static_cast<std::int64_t>(names.size()) != num_classes) return {};
    classes.resize(names.size());
    std::iota(classes.begin(), classes.end(), 0);
    return classes;
}

}  // namespace vit::tools
