// Decodes WebP with libwebp: a still image, or the first frame of an animation on its canvas.
#include <webp/decode.h>
#include <webp/demux.h>

#include <memory>

#include "engine/image/decode.h"

namespace vit::inline internal::image {
namespace {

struct DemuxerDeleter {
    void operator()(WebPDemuxer* demuxer) const { WebPDemuxDelete(demuxer); }
};

struct FrameIterator {
    WebPIterator it{};
    ~FrameIterator() { WebPDemuxReleaseIterator(&it); }
};

const char* describe(VP8StatusCode status) {
    switch (status) {
        case VP8_STATUS_BITSTREAM_ERROR:
            return "invalid bitstream";
        case VP8_STATUS_NOT_ENOUGH_DATA:
            return "unexpected end of data";
        case VP8_STATUS_UNSUPPORTED_FEATURE:
            return "unsupported feature";
        default:
            return "invalid data";
    }
}

}  // namespace

Image decode_webp(const Source& source) {
    const WebPData data{source.data(), source.size()};
    const std::unique_ptr<WebPDemuxer, DemuxerDeleter> demuxer(WebPDemux(&data));
    FrameIterator frame;
    if (!demuxer || WebPDemuxGetFrame(demuxer.get(), 1, &frame.it) == 0 || frame.it.complete == 0) {
        refuse_damaged(source, "WebP", "chunks missing or out of bounds");
    }
    const std::uint64_t height = WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_HEIGHT);
    const std::uint64_t width = WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_WIDTH);
    check_size(source, height, width);

    const auto left = static_cast<std::uint64_t>(frame.it.x_offset);
    const auto top = static_cast<std::uint64_t>(frame.it.y_offset);
    WebPDecoderConfig config;
    if (WebPInitDecoderConfig(&config) == 0) {
        refuse(source, "libwebp has another version than this program was built for",
               ErrorKind::internal);
    }
    const VP8StatusCode header =
        WebPGetFeatures(frame.it.fragment.bytes, frame.it.fragment.size, &config.input);
    if (header != VP8_STATUS_OK) {
        refuse_damaged(source, "WebP", describe(header));
    }
    if (left + static_cast<std::uint64_t>(config.input.width) > width ||
        top + static_cast<std::uint64_t>(config.input.height) > height) {
        refuse_damaged(source, "WebP", "frame outside of the canvas");
    }

    // As in Pillow, the canvas around the first frame stays black, and alpha is dropped without
    // blending.
    Image image = new_image(source, height, width);
    const std::size_t offset = static_cast<std::size_t>((top * width + left) * 3);
    config.output.colorspace = MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = image.rgb.data() + offset;
    config.output.u.RGBA.stride = static_cast<int>(width * 3);
    config.output.u.RGBA.size = image.rgb.size() - offset;
    const VP8StatusCode status =
        WebPDecode(frame.it.fragment.bytes, frame.it.fragment.size, &config);
    if (status == VP8_STATUS_OUT_OF_MEMORY) {
        refuse(source, "not enough memory to decode this image", ErrorKind::memory);
    }
    if (status != VP8_STATUS_OK) {
        refuse_damaged(source, "WebP", describe(status));
    }
    return image;
}

}  // namespace vit::inline internal::image
