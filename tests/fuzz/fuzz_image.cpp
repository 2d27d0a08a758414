// Image files of any bytes: an Error or a picture of a consistent size, small enough to preprocess.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "vit/error.h"
#include "vit/image.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    try {
        const vit::Image image = vit::decode_image(std::as_bytes(std::span(data, size)), "fuzz",
                                                   {.exif = true, .max_pixels = 1 << 18});
        if (image.rgb.size() != static_cast<std::size_t>(image.height * image.width * 3)) {
            std::abort();
        }
        const auto crop = static_cast<vit::Crop>(size % 3);
        const auto filter = static_cast<vit::Filter>(size % 4);
        vit::resize_and_crop(image, {.height = 16, .width = 20, .crop = crop, .filter = filter});
    } catch (const vit::Error&) {
    }
    return 0;
}
