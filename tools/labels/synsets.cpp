#include "tools/labels/synsets.h"

#include <algorithm>

#include "tools/labels/imagenet_data.h"

namespace vit::tools {

std::optional<std::int64_t> imagenet_synset_class(std::string_view synset) {
    // Lines of equal length, in the order of the numbers, which is the order of the classes.
    constexpr std::size_t digits = 9, line = digits + 1;
    const std::string_view text(reinterpret_cast<const char*>(imagenet_synsets.data()),
                                imagenet_synsets.size());
    std::size_t first = 0, last = text.size() / line;
    while (first < last) {
        const std::size_t middle = (first + last) / 2;
        if (text.substr(middle * line, digits) < synset)
            first = middle + 1;
        else
            last = middle;
    }
    if (text.substr(std::min(first * line, text.size()), digits) != synset || synset.empty())
        return {};
    return static_cast<std::int64_t>(first);
}

}  // namespace vit::tools
