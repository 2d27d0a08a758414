// Options for preparing images, for users who know better than the checkpoint.
#pragma once

#include <string>
#include <vector>

#include "engine/model/model_file.h"
#include "tools/common/command_line.h"

namespace vit::tools {

/// The values from the command line. Empty or 0 means that the option was not given.
struct ImageOptions {
    double crop_pct = 0;
    std::string crop_mode, interpolation;
    std::vector<float> mean, std;
};

/// `options` must exist until the command line has been parsed.
void add_image_options(CLI::App& app, ImageOptions& options);

/// Checks what CLI11 cannot check. Throws Error(usage).
void check_image_options(const ImageOptions& options);

/// Writes the given options into the model, with a note about each change.
void set_preprocessing(const ImageOptions& options, ModelHeader& header);

/// For example "224x224, crop center 0.9, bicubic, mean 0.5 0.5 0.5, std 0.5 0.5 0.5".
std::string describe(const Preprocessing& preprocessing);

}  // namespace vit::tools
