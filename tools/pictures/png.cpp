#include "tools/pictures/png.h"

#include <fmt/format.h>
#include <png.h>

#include <limits>

#include "engine/model/atomic_file.h"
#include "vit/error.h"

namespace vit::pictures {

std::vector<std::byte> encode_png(const Image& image) {
    constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
    if (image.height < 1 || image.width < 1 || image.height > most || image.width > most ||
        image.rgb.size() / 3 / static_cast<std::size_t>(image.width) !=
            static_cast<std::size_t>(image.height))
        throw Error(ErrorKind::usage,
                    fmt::format("picture: expected {}x{} pixels of 3 bytes, found {} bytes",
                                image.height, image.width, image.rgb.size()));
    // libpng's simplified interface reports errors in a structure, without setjmp.
    png_image description{};
    description.version = PNG_IMAGE_VERSION;
    description.width = static_cast<png_uint_32>(image.width);
    description.height = static_cast<png_uint_32>(image.height);
    description.format = PNG_FORMAT_RGB;
    const auto write = [&](void* to, png_alloc_size_t& size) {
        if (png_image_write_to_memory(&description, to, &size, 0, image.rgb.data(), 0, nullptr) ==
            0)
            throw Error(ErrorKind::memory, fmt::format("picture: {}", description.message));
    };
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(description);
    std::vector<std::byte> bytes(size);
    write(bytes.data(), size);
    bytes.resize(size);
    return bytes;
}

void write_png(const std::filesystem::path& path, const Image& image) {
    const std::vector<std::byte> bytes = encode_png(image);
    AtomicFile file(path);
    file.write(bytes);
    file.commit();
}

}  // namespace vit::pictures
