#include "engine/image/jpeg_headers.h"

// Before Pillow gives a file to libjpeg, it reads the segments before the first scan itself, for
// size and metadata. A file that it cannot read there is refused, even if libjpeg would accept it
// (after Pillow's JpegImagePlugin.py).
#include <algorithm>
#include <optional>
#include <string_view>

#include "engine/image/bytes.h"

namespace vit::inline internal::image {
namespace {

using namespace std::string_view_literals;

constexpr const char* ends_early = "the file ends within its headers";

bool is_frame(unsigned marker) {
    return (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 &&
            marker != 0xcc) ||
           marker == 0xde;
}

bool has_no_body(unsigned marker) {
    return marker == 0xc8 || (marker >= 0xd0 && marker <= 0xd9) ||
           (marker >= 0xf0 && marker <= 0xfd);
}

const char* objection_to_quantisation(Bytes body) {
    while (!body.empty()) {
        const std::size_t length = byte_at(body, 0) < 16 ? 65 : 129;
        if (body.size() < length) {
            return "a quantisation table is cut short";
        }
        body = body.subspan(length);
    }
    return nullptr;
}

/// Checks Photoshop resources. Pillow fails only where a length is missing completely.
const char* objection_to_photoshop(Bytes body) {
    std::size_t at = 14;
    while (has(body, at, "8BIM"sv)) {
        at += 6;
        if (at > body.size()) {
            return nullptr;
        }
        if (at == body.size()) {
            return "the Photoshop segment is cut short";
        }
        at += 1 + byte_at(body, at);
        at += at & 1;
        const auto size = number(body, at, 4);
        if (!size) {
            return nullptr;
        }
        at += 4 + *size;
        at += at & 1;
    }
    return nullptr;
}

class Headers {
  public:
    const char* objection_to(unsigned marker, Bytes body) {
        if (is_frame(marker)) {
            return objection_to_frame(body);
        }
        if (marker == 0xdb) {
            return objection_to_quantisation(body);
        }
        if ((marker == 0xe0 && has(body, 0, "JFIF"sv)) ||
            (marker == 0xee && has(body, 0, "Adobe"sv))) {
            return body.size() < 7 ? "an application segment is cut short" : nullptr;
        }
        if (marker == 0xed && has(body, 0, "Photoshop 3.0\0"sv)) {
            return objection_to_photoshop(body);
        }
        if (marker == 0xe2 && has(body, 0, "ICC_PROFILE\0"sv) &&
            (!least_profile_ ||
             std::lexicographical_compare(body.begin(), body.end(), least_profile_->begin(),
                                          least_profile_->end()))) {
            least_profile_ = body;
        }
        return nullptr;
    }

    bool has_frame() const { return has_frame_; }

  private:
    const char* objection_to_frame(Bytes body) {
        has_frame_ = true;
        if (body.size() < 6 || body.size() % 3 != 0) {
            return "the frame header has a wrong length";
        }
        // Here Pillow joins the parts of a colour profile, and reads the part that sorts first.
        if (least_profile_ && least_profile_->size() < 14) {
            return "the colour profile is cut short";
        }
        least_profile_.reset();
        return nullptr;
    }

    bool has_frame_ = false;
    std::optional<Bytes> least_profile_;
};

}  // namespace

const char* objection_to_jpeg_headers(std::span<const std::byte> file) {
    Headers headers;
    std::size_t at = 2;  // after the start of image
    while (true) {
        while (at < file.size() && byte_at(file, at) != 0xff) {
            ++at;
        }
        while (at < file.size() && byte_at(file, at) == 0xff) {
            ++at;
        }
        if (at >= file.size()) {
            return ends_early;
        }
        const unsigned marker = byte_at(file, at++);
        if (marker == 0) {
            continue;
        }
        if (marker < 0xc0) {
            return "it has a marker that JPEG does not have";
        }
        if (has_no_body(marker)) {
            continue;
        }
        const auto length = number(file, at, 2);
        const std::size_t body = length.value_or(0) < 2 ? 0 : *length - 2;
        if (!length || file.size() - (at + 2) < body) {
            return ends_early;
        }
        at += 2;
        if (marker == 0xda) {
            return headers.has_frame() ? nullptr : "its scan has no frame header";
        }
        if (const char* const objection = headers.objection_to(marker, file.subspan(at, body))) {
            return objection;
        }
        at += body;
    }
}

}  // namespace vit::inline internal::image
