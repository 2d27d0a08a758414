#include "tools/vit-convert/image_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "engine/model/preprocessing_names.h"
#include "vit/error.h"

namespace vit::tools {

namespace {

template <class Names>
CLI::IsMember one_of(const Names& names) {
    std::vector<std::string> texts;
    for (const auto& [value, name] : names) texts.emplace_back(name);
    return CLI::IsMember(texts);
}

/// `name` must be one of `names`.
template <class Names>
auto value_of(std::string_view name, const Names& names) {
    return std::ranges::find(names, name,
                             [](const auto& each) { return std::string_view(each.second); })
        ->first;
}

template <class Value, class Names>
std::string_view name_of(Value value, const Names& names) {
    return std::ranges::find(names, value, [](const auto& each) { return each.first; })->second;
}

std::array<float, 3> three(const std::vector<float>& values) {
    return {values.at(0), values.at(1), values.at(2)};
}

}  // namespace

void add_image_options(CLI::App& app, ImageOptions& options) {
    app.add_option("--mean", options.mean,
                   "R,G,B of values in [0, 1]: what images are normalised with, instead of what "
                   "the checkpoint or its architecture says")
        ->expected(3)
        ->delimiter(',');
    app.add_option("--std", options.std, "R,G,B, likewise")->expected(3)->delimiter(',');
    app.add_option("--crop-pct", options.crop_pct, "part of the resized image that is kept")
        ->check(CLI::Range(0.01, 1.0));
    app.add_option("--crop-mode", options.crop_mode, "how images become square")
        ->check(one_of(crop_mode_names));
    app.add_option("--interpolation", options.interpolation, "how images are resized")
        ->check(one_of(interpolation_names));
}

void check_image_options(const ImageOptions& options) {
    for (const float each : options.mean)
        if (!std::isfinite(each))
            throw Error(ErrorKind::usage, fmt::format("--mean: expected numbers, found {}", each));
    for (const float each : options.std)
        if (!(each > 0) || !std::isfinite(each))
            throw Error(ErrorKind::usage,
                        fmt::format("--std: expected values above 0, found {}", each));
}

void set_preprocessing(const ImageOptions& options, ModelHeader& header) {
    Preprocessing& p = header.preprocessing;
    std::vector<std::string_view> given;
    if (!options.mean.empty()) {
        p.mean = three(options.mean);
        given.push_back("mean");
    }
    if (!options.std.empty()) {
        p.std = three(options.std);
        given.push_back("std");
    }
    if (options.crop_pct > 0) {
        p.crop_pct = options.crop_pct;
        given.push_back("crop_pct");
    }
    if (!options.crop_mode.empty()) {
        p.crop_mode = value_of(options.crop_mode, crop_mode_names);
        given.push_back("crop_mode");
    }
    if (!options.interpolation.empty()) {
        p.interpolation = value_of(options.interpolation, interpolation_names);
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
