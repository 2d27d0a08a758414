#include "weights/mappings/timm/nearest_names.h"

#include <algorithm>
#include <utility>

namespace vit::inline internal {

namespace {

constexpr std::size_t add = 1, change = 5, take_away = 5;
constexpr std::size_t most_letters = 100;  // of the typed text, which may have any length

char plain(char c) {
    if (c == '-') return '_';
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

std::size_t effort(std::string_view typed, std::string_view name) {
    typed = typed.substr(0, most_letters);
    std::vector<std::size_t> row(name.size() + 1);
    for (std::size_t j = 0; j < row.size(); ++j) row[j] = j * add;
    for (const char letter : typed) {
        std::size_t diagonal = row[0];
        row[0] += take_away;
        for (std::size_t j = 0; j < name.size(); ++j) {
            const std::size_t changed = diagonal + (plain(letter) == plain(name[j]) ? 0 : change);
            diagonal = row[j + 1];
            row[j + 1] = std::min({changed, row[j] + add, row[j + 1] + take_away});
        }
    }
    return row.back();
}

std::vector<std::string> nearest_names(std::string_view typed, std::span<const std::string> names,
                                       std::size_t count) {
    std::vector<std::pair<std::size_t, std::string>> ranked;
    for (const std::string& name : names) ranked.emplace_back(effort(typed, name), name);
    count = std::min(count, ranked.size());
    std::partial_sort(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(count),
                      ranked.end());
    std::vector<std::string> out;
    for (std::size_t i = 0; i < count; ++i) out.push_back(std::move(ranked[i].second));
    return out;
}

}  // namespace vit::inline internal
