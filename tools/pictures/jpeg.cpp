#include "tools/pictures/jpeg.h"

#include <turbojpeg.h>

#include <memory>

#include "vit/error.h"

namespace vit::pictures {

std::vector<std::byte> encode_jpeg(const Image& image, int quality) {
    if (image.height < 1 || image.width < 1)
        throw Error(ErrorKind::usage, "JPEG: expected an image with pixels");
    const std::unique_ptr<void, int (*)(tjhandle)> encoder(tjInitCompress(), tjDestroy);
    unsigned char* bytes = nullptr;
    unsigned long size = 0;
    const int status = encoder == nullptr ? -1
                                          : tjCompress2(encoder.get(), image.rgb.data(),
                                                        static_cast<int>(image.width), 0,
                                                        static_cast<int>(image.height), TJPF_RGB,
                                                        &bytes, &size, TJSAMP_420, quality, 0);
    const std::unique_ptr<unsigned char, void (*)(unsigned char*)> owner(bytes, tjFree);
    if (status != 0) throw Error(ErrorKind::memory, "JPEG: not enough memory");
    const auto* const first = reinterpret_cast<const std::byte*>(bytes);
    return {first, first + size};
}

}  // namespace vit::pictures
