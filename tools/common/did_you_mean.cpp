#include "tools/common/did_you_mean.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace vit::tools {

namespace {

/// The number of letters to insert, remove, replace or swap with a neighbour that makes `a` of `b`
/// (the restricted distance of Damerau and Levenshtein).
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i)
        for (std::size_t j = 0; j <= b.size(); ++j) {
            if (i == 0 || j == 0) {
                d[i][j] = i + j;
                continue;
            }
            const std::size_t replaced = a[i - 1] == b[j - 1] ? 0 : 1;
            d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + replaced});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[a.size()][b.size()];
}

}  // namespace

std::string did_you_mean(std::string_view word, std::span<const std::string> known) {
    constexpr std::size_t longest = 64;  // nothing longer is a typing mistake
    if (word.size() > longest) return "";
    const std::string* best = nullptr;
    std::size_t least = 0;
    for (const std::string& each : known)
        if (const std::size_t d = distance(word, each); best == nullptr || d < least) {
            least = d;
            best = &each;
        }
    if (best == nullptr || 3 * least > best->size()) return "";
    return fmt::format("; did you mean {}?", *best);
}

}  // namespace vit::tools
