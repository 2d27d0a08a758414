// Options for preparing images, for users who know better than the checkpoint.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "engine/model/model_file.h"
#include "vit/image.h"

namespace vit::tools {

/// The values from the command line.
struct ImageOptions {
    double crop_pct = 0;  ///< 0: not given
    std::optional<Crop> crop_mode;
    std::optional<Filter> interpolation;
    std::optional<std::array<float, 3>> mean, std;
};

/// Writes the given options into the model, with a note about each change.
void set_preprocessing(const ImageOptions& options, ModelHeader& header);

/// For example "224x224, crop center 0.9, bicubic, mean 0.5 0.5 0.5, std 0.5 0.5 0.5".
std::string describe(const Preprocessing& preprocessing);

}  // namespace vit::tools
