// The images of --calibrate: which ones to calibrate on, and which ones to measure on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/model/model_file.h"
#include "weights/quantization/observe.h"

namespace vit::tools {

/// An image file, and the index of its class where that is known.
struct LabelledFile {
    std::filesystem::path path;
    std::optional<std::int64_t> label;
};

/// No file is in both lists.
struct CalibrationFiles {
    std::vector<LabelledFile> calibrated, measured;
    std::string skipped;  ///< why files were left out; empty if none was
};

/// Divides the images below `folder`, which are evenly spread over both lists: up to 32 to
/// calibrate on, at most half of them, and up to 512 to measure on. Where the folders in `folder`
/// are as many as the model has classes, each holds the images of a class: the one whose label is
/// the folder's name, or else the class of the folder's position in natural order. Throws
/// Error(input) where there are fewer than two images, Error(unsupported) where the model does not
/// have three channels.
CalibrationFiles calibration_files(const std::filesystem::path& folder, const ModelHeader& header);

/// Decodes and preprocesses the files on all cores. Files that cannot be decoded are removed from
/// `files`; `skipped` tells about the first of them.
Images read_images(std::vector<LabelledFile>& files, const ModelHeader& header,
                   std::string& skipped);

/// The pixels of a file as preprocessing resizes and crops it, [height, width, 3].
std::vector<std::uint8_t> read_pixels(const LabelledFile& file, const ModelHeader& header);

}  // namespace vit::tools
