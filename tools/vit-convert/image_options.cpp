#include "tools/vit-convert/image_options.h"

#include <fmt/format.h>

#include <vector>

#include "engine/model/preprocessing_names.h"
#include "tools/common/named_values.h"

namespace vit::tools {

void set_preprocessing(const ImageOptions& options, ModelHeader& header) {
    Preprocessing& p = header.preprocessing;
    std::vector<std::string_view> given;
    if (options.mean) {
        p.mean = *options.mean;
        given.push_back("mean");
    }
    if (options.std) {
        p.std = *options.std;
        given.push_back("std");
    }
    if (options.crop_pct > 0) {
        p.crop_pct = options.crop_pct;
        given.push_back("crop_pct");
    }
    if (options.crop_mode) {
        p.crop_mode = *options.crop_mode;
        given.push_back("crop_mode");
    }
    if (options.interpolation) {
        p.interpolation = *options.interpolation;
        given.push_back("interpolation");
    }
    if (!given.empty())
        header.provenance.notes.push_back(
            fmt::format("{} from the command line", fmt::join(given, ", ")));
}

std::string describe(const Preprocessing& p) {
    return fmt::format("{}x{}, crop {} {}, {}, mean {} {} {}, std {} {} {}", p.input_size.height,
                       p.input_size.width, name_of(p.crop_mode, crop_mode_names), p.crop_pct,
                       name_of(p.interpolation, interpolation_names), p.mean[0], p.mean[1],
                       p.mean[2], p.std[0], p.std[1], p.std[2]);
}

}  // namespace vit::tools
