#include "tools/vit-infer/images.h"

#include <utility>

#include "tools/common/image_error.h"
#include "vit/error.h"

namespace vit::infer {

namespace {

Image decode(Input& input, const DecodeOptions& options) {
    if (input.bytes.empty()) return decode_image(input.path, options, &input.warning);
    const std::vector<std::byte> bytes = std::exchange(input.bytes, {});
    return decode_image(bytes, input.name, options, &input.warning);
}

}  // namespace

Input decode_ahead(Input input, const DecodeOptions& options) {
    if (input.error.empty() && !input.rows)
        input.error = tools::image_error([&] { input.decoded = decode(input, options); });
    return input;
}

std::string prepare(Input& input, const Transform& transform, std::int64_t channels,
                    const DecodeOptions& options, std::span<float> out) {
    if (!input.error.empty()) return input.error;
    return tools::image_error([&] {
        if (input.rows) {
            input.rows->read(input.row, {channels, transform.height, transform.width}, out);
            return;
        }
        if (channels != 3)
            throw Error(ErrorKind::input,
                        "the model wants other than 3 channels: give it a .npy tensor");
        Image image = std::exchange(input.decoded, {});
        if (image.rgb.empty()) image = decode(input, options);
        preprocess(image, transform, out);
    });
}

}  // namespace vit::infer
