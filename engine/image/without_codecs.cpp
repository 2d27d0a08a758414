// decode_image for a build with VIT_IMAGE_CODECS=OFF.
#include <string_view>

#include "engine/base/text.h"
#include "vit/error.h"
#include "vit/image.h"

namespace vit {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& name) {
    throw Error(ErrorKind::unsupported,
                in_quotes(name.native()) +
                    ": this build of vit has no image codecs (VIT_IMAGE_CODECS=OFF); decode the "
                    "image elsewhere and give its pixels as a vit::ImageView");
}

}  // namespace

Image decode_image(const std::filesystem::path& path, const DecodeOptions&, std::string*) {
    refuse(path);
}

Image decode_image(std::span<const std::byte>, const std::filesystem::path& name,
                   const DecodeOptions&, std::string*) {
    refuse(name);
}

}  // namespace vit
