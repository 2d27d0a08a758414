#include "tools/common/natural_order.h"

#include <cstddef>

namespace vit::tools {

namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// Removes the number at the start of `text` and returns its digits without leading zeros.
std::string_view take_number(std::string_view& text) {
    while (text.size() > 1 && text[0] == '0' && is_digit(text[1])) text.remove_prefix(1);
    std::size_t length = 0;
    while (length < text.size() && is_digit(text[length])) ++length;
    const std::string_view number = text.substr(0, length);
    text.remove_prefix(length);
    return number;
}

}  // namespace

bool natural_less(std::string_view a, std::string_view b) noexcept {
    std::string_view x = a;
    std::string_view y = b;
    while (!x.empty() && !y.empty()) {
        if (is_digit(x[0]) && is_digit(y[0])) {
            const std::string_view m = take_number(x);
            const std::string_view n = take_number(y);
            if (m.size() != n.size()) return m.size() < n.size();
            if (m != n) return m < n;
        } else {
            const auto c = static_cast<unsigned char>(x[0]);
            const auto d = static_cast<unsigned char>(y[0]);
            if (c != d) return c < d;
            x.remove_prefix(1);
            y.remove_prefix(1);
        }
    }
    if (x.empty() != y.empty()) return x.empty();
    return a < b;  // they differ only in leading zeros
}

}  // namespace vit::tools
