// Targets for image files. Any bytes must give an Error, or an image of a consistent size that is
// small enough to preprocess.
#include "tests/fuzz/check.h"
#include "tests/fuzz/targets.h"
#include "vit/image.h"

namespace vit::fuzz {

void image(std::span<const std::byte> bytes) {
    expect_answer_or_error([&] {
        std::string warning;
        const Image picture =
            decode_image(bytes, "file", {.exif = true, .max_pixels = 1 << 18}, &warning);
        require(warning.size() < 500 && warning.find('\n') == std::string::npos && is_utf8(warning),
                "a warning is one line");
        require(picture.rgb.size() == static_cast<std::size_t>(picture.height * picture.width * 3),
                "a picture has three bytes per pixel");
        const auto crop = static_cast<Crop>(bytes.size() % 3);
        const auto filter = static_cast<Filter>(bytes.size() % 4);
        resize_and_crop(picture, {.height = 16, .width = 20, .crop = crop, .filter = filter});
    });
}

}  // namespace vit::fuzz
