#include "tools/page/image_page.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "tools/page/page_data.h"
#include "tools/page/templates.h"

namespace vit::tools {

namespace {

using Json = nlohmann::ordered_json;

/// Six digits are enough for the page. JSON has no NaN and no infinity.
Json number(float value) {
    return std::isfinite(value) ? Json(std::round(double{value} * 1e6) / 1e6) : Json(0);
}

}  // namespace

std::string base64(std::span<const std::byte> bytes) {
    constexpr std::string_view letters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t bits = 0;
        for (std::size_t b = 0; b < 3; ++b)
            bits = bits << 8 | (b < count ? std::to_integer<std::uint32_t>(bytes[i + b]) : 0);
        for (std::size_t c = 0; c < 4; ++c)
            out += c <= count ? letters[bits >> (18 - 6 * c) & 63] : '=';
    }
    return out;
}

ImagePage::ImagePage(const std::filesystem::path& path, const PageFacts& facts) : file_(path) {
    write(parts_of(images_html).first);
    write(data_element("facts", {{"title", facts.title},
                                 {"model", facts.model},
                                 {"grid", {facts.grid_rows, facts.grid_columns}},
                                 {"aspect", facts.aspect}}));
    write("<script type=\"application/json\" id=\"images\">[");
}

void ImagePage::write(std::string_view text) {
    file_.write(std::as_bytes(std::span(text)));
}

void ImagePage::add(const PageImage& image) {
    Json json{{"file", image.file}};
    if (!image.error.empty()) json["error"] = image.error;
    if (!image.warning.empty()) json["warning"] = image.warning;
    if (image.truth) json["truth"] = {{"index", image.truth->index}, {"label", image.truth->label}};
    Json& predictions = json["predictions"] = Json::array();
    for (const Prediction& each : image.predictions)
        predictions.push_back(
            {{"index", each.index}, {"label", each.label}, {"prob", number(each.probability)}});
    if (!image.thumbnail.empty()) json["thumbnail"] = base64(image.thumbnail);
    if (!image.attention.empty())
        json["attention"] = base64(std::as_bytes(std::span(image.attention)));
    write(std::exchange(is_first_, false) ? "\n" : ",\n");
    write(for_script(json));
}

void ImagePage::finish() {
    write("]</script>");
    write(parts_of(images_html).second);
    file_.commit();
}

}  // namespace vit::tools
