#include "weights/mappings/common/patterns.h"

#include <algorithm>

namespace vit::inline internal {

namespace {

bool is_number(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// Returns the part of `text` before `end`, and removes it and `end` from `text`.
std::string_view take_until(std::string_view& text, char end) {
    const std::string_view part = text.substr(0, text.find(end));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    return part;
}

bool fits_rest(std::string_view pattern, std::string_view name, std::vector<std::string>& numbers) {
    while (!pattern.empty()) {
        const char next = pattern.front();
        pattern.remove_prefix(1);
        if (next == '*') return true;
        if (next == '[') {
            const std::string part(take_until(pattern, ']'));
            const std::size_t known = numbers.size();
            if (fits_rest(part + std::string(pattern), name, numbers)) return true;
            numbers.resize(known);
            return fits_rest(pattern, name, numbers);
        }
        if (next == '#' || next == '@') {
            const std::string_view number = name.substr(0, name.find_first_not_of("0123456789"));
            if (number.empty() || (number.size() > 1 && number[0] == '0')) return false;
            if (next == '#') numbers.emplace_back(number);
            name.remove_prefix(number.size());
        } else {
            if (!name.starts_with(next)) return false;
            name.remove_prefix(1);
        }
    }
    return name.empty();
}

}  // namespace

bool fits(std::string_view pattern, std::string_view name, std::vector<std::string>& numbers) {
    numbers.clear();
    return fits_rest(pattern, name, numbers);
}

std::string filled(std::string_view pattern, const std::vector<std::string>& numbers) {
    std::string text(pattern), out;
    if (const std::size_t at = text.find("[@"); at != std::string::npos)
        text.erase(at, text.find(']', at) + 1 - at);
    std::size_t next = 0;
    for (const char c : text) {
        if (c == '#' && next < numbers.size())
            out += numbers[next++];
        else if (c != '[' && c != ']')
            out += c;
    }
    return out;
}

std::vector<std::string> numbers_in(std::string_view name) {
    std::vector<std::string> out;
    while (!name.empty())
        if (const std::string_view part = take_until(name, '.'); is_number(part))
            out.emplace_back(part);
    return out;
}

std::vector<Target> targets_of(std::string_view canonical,
                               const std::vector<std::string>& numbers) {
    const std::string name = filled(canonical, numbers);
    const std::size_t open = name.find('{'), close = name.find('}');
    if (open == std::string::npos || close == std::string::npos) return {{name}};
    const std::string before = name.substr(0, open), after = name.substr(close + 1);
    std::string_view list = std::string_view(name).substr(open + 1, close - open - 1);
    std::vector<Target> out;
    while (!list.empty()) {
        std::string_view group = take_until(list, ',');
        const bool takes_turns = group.find('&') != std::string_view::npos;
        for (int turn = 0; !group.empty(); ++turn)
            out.push_back(
                {before + std::string(take_until(group, '&')) + after, turn, takes_turns});
    }
    return out;
}

}  // namespace vit::inline internal
