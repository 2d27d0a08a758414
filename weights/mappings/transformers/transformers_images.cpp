#include "weights/mappings/transformers/transformers_images.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "engine/base/text.h"
#include "vit/error.h"
#include "weights/mappings/common/config_keys.h"

namespace vit::inline internal {

namespace {

using nlohmann::json;
using Value = const ConfigValue&;

/// Uses `both` where it is set, otherwise `shortest_edge`.
struct ResizeTo {
    std::optional<ImageSize> both;
    std::int64_t shortest_edge = 0;
};

struct ImageProcessor {
    ResizeTo size;
    std::optional<ImageSize> crop_size;
    bool do_resize = true, do_center_crop = false, do_rescale = true, do_normalize = true;
    bool square = true;  ///< whether a size of one number is a square, not the shortest edge
    std::int64_t resample = 2;
    double rescale_factor = 1 / 255.0;
    std::vector<double> mean{0.5, 0.5, 0.5}, std{0.5, 0.5, 0.5};
};

/// The defaults of one of transformers' image processor classes.
struct Class {
    std::string_view name;  ///< without "ImageProcessor", "FeatureExtractor" and the rest
    void (*defaults)(ImageProcessor&);
};

void clip_defaults(ImageProcessor& p) {
    p.size = {std::nullopt, 224};
    p.square = false;
    p.crop_size = ImageSize{224, 224};
    p.do_center_crop = true;
    p.resample = 3;
    p.mean = {0.48145466, 0.4578275, 0.40821073};
    p.std = {0.26862954, 0.26130258, 0.27577711};
}

void siglip_defaults(ImageProcessor& p) {
    p.size = {ImageSize{224, 224}, 0};
    p.square = false;
    p.resample = 3;
}

constexpr std::array classes{
    Class{"ViT",
          [](ImageProcessor& p) {
              p.size = {ImageSize{224, 224}, 0};
          }},
    Class{"DeiT",
          [](ImageProcessor& p) {
              p.size = {ImageSize{256, 256}, 0};
              p.crop_size = ImageSize{224, 224};
              p.do_center_crop = true;
              p.resample = 3;
          }},
    Class{"CLIP", clip_defaults},
    Class{"Bit", clip_defaults},
    Class{"Siglip", siglip_defaults},
};

void resize_to(ImageProcessor& p, Value v) {
    const json& size = v.json();
    if (!size.is_object()) {
        const std::int64_t side = v.integer();
        p.size = p.square ? ResizeTo{ImageSize{side, side}, 0} : ResizeTo{std::nullopt, side};
        return;
    }
    const auto member = [&](const char* key) {
        return ConfigValue(fmt::format("{}.{}", v.key(), key), size[key]).integer();
    };
    if (size.size() == 2 && size.contains("height") && size.contains("width"))
        p.size = {ImageSize{member("height"), member("width")}, 0};
    else if (size.size() == 1 && size.contains("shortest_edge"))
        p.size = {std::nullopt, member("shortest_edge")};
    else
        v.refuse("a number, {height, width} or {shortest_edge}");
}

void crop_to(ImageProcessor& p, Value v) {
    const json& size = v.json();
    if (v.null()) {
        p.crop_size.reset();
    } else if (!size.is_object()) {
        p.crop_size = v.size();
    } else if (size.size() == 2 && size.contains("height") && size.contains("width")) {
        p.crop_size = ImageSize{ConfigValue(v.key() + ".height", size["height"]).integer(),
                                ConfigValue(v.key() + ".width", size["width"]).integer()};
    } else {
        v.refuse("a number or {height, width}");
    }
}

/// For a step that must be off because it is not supported.
void off(ImageProcessor&, Value v) {
    if (!v.null() && v.boolean()) v.refuse("false: this step is not supported");
}

using Key = ConfigKey<ImageProcessor>;

constexpr std::string_view interface = "how transformers hands images over";

constexpr std::array keys{
    Key{"size", resize_to},
    Key{"crop_size", crop_to},
    Key{"do_resize", [](ImageProcessor& p, Value v) { p.do_resize = v.boolean(); }},
    Key{"do_center_crop",
        [](ImageProcessor& p, Value v) { p.do_center_crop = !v.null() && v.boolean(); }},
    Key{"do_rescale", [](ImageProcessor& p, Value v) { p.do_rescale = v.boolean(); }},
    Key{"do_normalize", [](ImageProcessor& p, Value v) { p.do_normalize = v.boolean(); }},
    Key{"resample", [](ImageProcessor& p, Value v) { p.resample = v.integer(); }},
    Key{"rescale_factor", [](ImageProcessor& p, Value v) { p.rescale_factor = v.number(); }},
    Key{"image_mean", [](ImageProcessor& p, Value v) { p.mean = v.numbers(); }},
    Key{"image_std", [](ImageProcessor& p, Value v) { p.std = v.numbers(); }},
    Key{"do_convert_rgb", nullptr, "every image is converted to RGB"},
    Key{"do_pad", off, "off"},
    Key{"pad_size", nullptr, "nothing is padded"},
    Key{"default_to_square", [](ImageProcessor& p, Value v) { p.square = v.boolean(); }},
    Key{"image_processor_type", nullptr, "read first"},
    Key{"feature_extractor_type", nullptr, "read first"},
    Key{"processor_class", nullptr, "image processors alone are read"},
    Key{"data_format", nullptr, interface},
    Key{"input_data_format", nullptr, interface},
    Key{"return_tensors", nullptr, interface},
    Key{"device", nullptr, interface},
    Key{"disable_grouping", nullptr, interface},
    Key{"image_seq_length", nullptr, interface},
    Key{"_valid_processor_keys", nullptr, interface},
    Key{"_processor_class", nullptr, interface},
};

const Class& class_of(const json& root, const std::string& where) {
    const char* key =
        root.contains("image_processor_type") ? "image_processor_type" : "feature_extractor_type";
    if (!root.contains(key))
        throw Error(ErrorKind::model,
                    fmt::format("{}: image_processor_type is missing; it names the class of "
                                "transformers",
                                where));
    const ConfigValue value(fmt::format("{} {}", where, key), root[key]);
    std::string name = value.text();
    for (const char* ending : {"ImageProcessor", "FeatureExtractor"})
        if (const std::size_t at = name.find(ending); at != std::string::npos) name.resize(at);
    const auto found = std::ranges::find(classes, name, &Class::name);
    if (found == classes.end())
        value.refuse("the image processor of ViT, DeiT, CLIP, Bit or Siglip");
    return *found;
}

Filter interpolation_of(std::int64_t resample, const std::string& where) {
    // These are Pillow's numbers. 4 (box) and 5 (Hamming) are not supported.
    switch (resample) {
        case 0:
            return Filter::nearest;
        case 1:
            return Filter::lanczos;
        case 2:
            return Filter::bilinear;
        case 3:
            return Filter::bicubic;
        default:
            break;
    }
    throw Error(ErrorKind::model,
                fmt::format("{}: resample: expected 0 (nearest), 1 (Lanczos), 2 (bilinear) or 3 "
                            "(bicubic), found {}",
                            where, resample));
}

/// The crop_pct for which the engine's floor(crop / crop_pct) is `target`.
double crop_pct_for(std::int64_t crop, std::int64_t target) {
    double pct = static_cast<double>(crop) / static_cast<double>(target);
    const auto resized = [&] { return std::floor(static_cast<double>(crop) / pct); };
    while (resized() < static_cast<double>(target)) pct = std::nextafter(pct, 0.0);
    return pct;
}

void geometry(const ImageProcessor& p, const std::string& where, Preprocessing& out) {
    const auto refuse = [&](const std::string& what) {
        throw Error(ErrorKind::model, fmt::format("{}: {}", where, what));
    };
    if (!p.do_resize) refuse("do_resize: expected true, found false: images are of any size");
    if (p.do_center_crop && !p.crop_size) refuse("crop_size is missing");
    if (!p.do_center_crop && !p.size.both)
        refuse(
            "size.shortest_edge without do_center_crop gives images of any shape; expected "
            "height and width");
    const ImageSize crop = p.do_center_crop ? *p.crop_size : *p.size.both;
    const ImageSize target =
        p.size.both.value_or(ImageSize{p.size.shortest_edge, p.size.shortest_edge});
    for (const std::int64_t side : {crop.height, crop.width, target.height, target.width})
        if (side < 1 || side > 65'535)
            refuse(fmt::format("size: expected 1 to 65535 pixels, found {}", side));
    if (crop.height > target.height || crop.width > target.width)
        refuse(
            fmt::format("crop_size: expected at most the size {}x{}, found {}x{}; a border is "
                        "not supported",
                        target.height, target.width, crop.height, crop.width));
    out.input_size = crop;
    out.crop_mode = p.size.both ? Crop::squash : Crop::center;
    out.crop_pct = crop_pct_for(crop.height, target.height);
    if (std::floor(static_cast<double>(crop.width) / out.crop_pct) !=
        static_cast<double>(target.width))
        refuse(
            fmt::format("crop_size: expected one share of the size for both edges, found "
                        "{}x{} of {}x{}",
                        crop.height, crop.width, target.height, target.width));
    out.crop_rounding = CropRounding::down;
}

/// Sets mean and std for values in [0, 1]: the engine itself divides pixels by 255.
void colours(const ImageProcessor& p, const std::string& where, Preprocessing& out) {
    const double factor = p.do_rescale ? p.rescale_factor * 255 : 255;
    for (const auto& [name, values] :
         {std::pair("image_mean", p.mean), std::pair("image_std", p.std)})
        if (values.size() != 1 && values.size() != 3)
            throw Error(ErrorKind::model, fmt::format("{}: {}: expected one or three numbers, "
                                                      "found {}",
                                                      where, name, values.size()));
    if (!(factor > 0))
        throw Error(ErrorKind::model,
                    fmt::format("{}: rescale_factor: expected a number above 0, found {}", where,
                                p.rescale_factor));
    for (std::size_t i = 0; i < 3; ++i) {
        const double mean = p.do_normalize ? p.mean[p.mean.size() == 1 ? 0 : i] : 0;
        const double std = p.do_normalize ? p.std[p.std.size() == 1 ? 0 : i] : 1;
        out.mean[i] = static_cast<float>(mean / factor);
        out.std[i] = static_cast<float>(std / factor);
    }
}

}  // namespace

Preprocessing read_image_processor(const std::string& text, std::vector<ReportLine>& report) {
    std::string where = "preprocessor_config.json";
    json root = parse_json_object(text, where);
    if (root.contains("image_processor")) {
        const json inner = root["image_processor"];
        if (!inner.is_object())
            ConfigValue("processor_config.json image_processor", inner).refuse("an object");
        where = "processor_config.json";
        for (const auto& [name, value] : root.items())
            if (name != "image_processor")
                report.push_back({where + " " + name, false, "image processors alone are read"});
        root = inner;
    }
    ImageProcessor processor;
    class_of(root, where).defaults(processor);
    for (const auto& [name, value] : root.items()) {
        const std::string full = where + " " + name;
        const auto why = set_key<ImageProcessor>(processor, keys, name, {full, value});
        if (!why)
            throw Error(ErrorKind::model,
                        fmt::format("{}: unknown key {}", where, in_quotes(name)));
        report.push_back({full, why->empty(), std::string(*why)});
    }
    Preprocessing out;
    geometry(processor, where, out);
    out.interpolation = interpolation_of(processor.resample, where);
    colours(processor, where, out);
    return out;
}

}  // namespace vit::inline internal
