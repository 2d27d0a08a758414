#include "engine/model/weights_digest.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#define XXH_INLINE_ALL  // header only, so nothing must be linked
#include <xxhash.h>

namespace vit::inline internal {

namespace {

std::uint64_t digest_of(std::span<const std::byte> bytes, DigestOf of) {
    constexpr std::size_t small = 65536, page = 4096, samples = 16;
    if (of == DigestOf::everything || bytes.size() <= small)
        return XXH3_64bits(bytes.data(), bytes.size());
    std::uint64_t digest = 0;
    for (std::size_t i = 0; i < samples; ++i) {
        // The first and the last page are always samples.
        const std::size_t at = (bytes.size() - page) / (samples - 1) * i;
        digest = XXH3_64bits_withSeed(bytes.data() + at, page, digest);
    }
    return XXH3_64bits_withSeed(bytes.data() + bytes.size() - page, page, digest);
}

}  // namespace

std::string weights_digest(const std::vector<TensorView>& tensors, DigestOf of) {
    std::vector<std::string> parts;
    for (const TensorView& tensor : tensors)
        if (!tensor.name.starts_with("self_test."))
            parts.push_back(fmt::format("{} {} {} {:016x}\n", tensor.name, dtype_name(tensor.dtype),
                                        to_string(tensor.shape), digest_of(tensor.data, of)));
    std::ranges::sort(parts);
    std::uint64_t digest = 0;
    for (const std::string& part : parts)
        digest = XXH3_64bits_withSeed(part.data(), part.size(), digest);
    return fmt::format("xxh3 {:016x}", digest);
}

}  // namespace vit::inline internal
