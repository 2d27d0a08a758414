#include "tools/vit-infer/page_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "tools/looking/attention_view.h"
#include "tools/looking/seen_image.h"
#include "tools/pictures/grid.h"
#include "tools/pictures/jpeg.h"
#include "vit/attention.h"
#include "vit/image.h"

namespace vit::infer {

namespace {

constexpr std::int64_t longer_side = 112;
constexpr int quality = 80;

std::vector<std::byte> thumbnail_of(const Image& image) {
    Transform shrink;
    shrink.height =
        std::max<std::int64_t>(1, longer_side * image.height / std::max(image.height, image.width));
    shrink.width =
        std::max<std::int64_t>(1, longer_side * image.width / std::max(image.height, image.width));
    shrink.crop_pct = 1;
    shrink.crop = Crop::squash;
    return pictures::encode_jpeg(resize_and_crop(image, shrink), quality);
}

/// From the smallest value to the largest but for the highest hundredth, as --attention draws it.
std::vector<std::uint8_t> bytes_of(const pictures::Grid& grid) {
    const float least = pictures::quantile(grid, 0), most = pictures::quantile(grid, 0.99);
    const float range = most > least ? most - least : 1;
    std::vector<std::uint8_t> bytes;
    for (const float x : grid.values)
        bytes.push_back(
            static_cast<std::uint8_t>(255 * std::clamp((x - least) / range, 0.0f, 1.0f) + 0.5f));
    return bytes;
}

}  // namespace

Portrait portrait_of(const Model& model, const Transform& transform,
                     std::span<const float> pixels) {
    Portrait portrait;
    portrait.thumbnail =
        thumbnail_of(looking::seen_image(pixels, model.info().channels, transform));
    const AttentionInfo info = attention_info(model);
    if (info.reads_class_token)
        portrait.attention = bytes_of(looking::class_attention(model, pixels, info.blocks - 1, {}));
    return portrait;
}

tools::PageFacts page_facts(const Options& options, const Model& model) {
    const ModelInfo& info = model.info();
    return {fmt::format("{} of {}", options.evaluates() ? "Evaluation" : "Predictions",
                        options.model.filename().string()),
            fmt::format("{}, {} x {}", info.architecture, info.height, info.width), info.grid_rows,
            info.grid_columns, static_cast<double>(info.width) / static_cast<double>(info.height)};
}

tools::PageImage page_image(const Record& record, Portrait portrait,
                            std::optional<std::int64_t> truth, const ModelInfo& info) {
    tools::PageImage image{record.file,
                           std::string(error_alone(record)),
                           record.warning,
                           record.predictions,
                           {},
                           std::move(portrait.thumbnail),
                           std::move(portrait.attention)};
    if (truth) {
        const auto index = static_cast<std::size_t>(*truth);
        image.truth = tools::PageClass{
            *truth, index < info.labels.size() ? info.labels[index] : std::to_string(*truth)};
    }
    return image;
}

}  // namespace vit::infer
