// How images are prepared where a user knows it better than the checkpoint.
#pragma once

#include <string>
#include <vector>

#include "engine/model/model_file.h"
#include "tools/common/command_line.h"

namespace vit::tools {

/// As on the command line; what is empty or 0 was not given.
struct ImageOptions {
    double crop_pct = 0;
    std::string crop_mode, interpolation;
    std::vector<float> mean, std;
};

/// `options` has to outlive the parsing.
void add_image_options(CLI::App& app, ImageOptions& options);

/// What CLI11 cannot check. Throws Error(usage).
void check_image_options(const ImageOptions& options);

/// Puts what was given into the model, with a note that says so.
void set_preprocessing(const ImageOptions& options, ModelHeader& header);

/// "224x224, crop center 0.9, bicubic, mean 0.5 0.5 0.5, std 0.5 0.5 0.5"
std::string describe(const Preprocessing& preprocessing);

}  // namespace vit::tools
