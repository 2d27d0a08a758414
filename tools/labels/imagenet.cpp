#include "tools/labels/imagenet.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <span>

#include "tools/labels/imagenet_data.h"
#include "vit/error.h"

namespace vit::tools {

namespace {

struct Subset {
    std::int64_t num_classes;
    std::string_view name;
    unsigned bit;  ///< in a line's first character; tools/fixtures/imagenet_labels.py sets it
    bool thousand_first = false;  ///< the classes of ImageNet-1k come before all others
};

// The values of timm's _NUM_CLASSES_TO_SUBSET.
constexpr std::array<Subset, 6> subsets{{{1000, "imagenet-1k", 0},
                                         {11221, "imagenet-21k-miil", 1},
                                         {11821, "imagenet-12k", 2},
                                         {21841, "imagenet-22k", 3},
                                         {21842, "imagenet-22k-ms", 4, true},
                                         {21843, "imagenet-21k-goog", 5}}};

std::string inflated(std::span<const unsigned char> gzip) {
    // The last four bytes are the uncompressed size, little-endian.
    std::size_t size = 0;
    for (std::size_t i = 0; i < 4; ++i) size |= std::size_t{gzip[gzip.size() - 4 + i]} << (8 * i);
    std::string text(size, '\0');
    z_stream stream{};
    stream.next_in = const_cast<Bytef*>(gzip.data());  // zlib does not write through it
    stream.avail_in = static_cast<uInt>(gzip.size());
    stream.next_out = reinterpret_cast<Bytef*>(text.data());
    stream.avail_out = static_cast<uInt>(size);
    constexpr int gzip_window = 16 + MAX_WBITS;
    const bool well = inflateInit2(&stream, gzip_window) == Z_OK &&
                      inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.total_out == size;
    inflateEnd(&stream);
    if (!well) throw Error(ErrorKind::internal, "ImageNet's class names cannot be unpacked");
    return text;
}

}  // namespace

std::optional<ImageNetLabels> imagenet_labels(std::int64_t num_classes) {
    const auto subset = std::find_if(subsets.begin(), subsets.end(), [&](const Subset& each) {
        return each.num_classes == num_classes;
    });
    if (subset == subsets.end()) return {};
    const std::string text = inflated(imagenet_data);
    std::vector<std::string> first, others;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = text.find('\n', begin);
        const unsigned members = static_cast<unsigned char>(text[begin]) - 0x20u;
        const bool thousand = subset->thousand_first && (members & 1u) != 0;
        if ((members >> subset->bit & 1u) != 0)
            (thousand ? first : others).push_back(text.substr(begin + 1, end - begin - 1));
        begin = end + 1;
    }
    first.insert(first.end(), std::make_move_iterator(others.begin()),
                 std::make_move_iterator(others.end()));
    return ImageNetLabels{subset->name, std::move(first)};
}

}  // namespace vit::tools
