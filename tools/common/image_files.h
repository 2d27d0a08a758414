// The image files of a folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace vit::tools {

/// A file with an image's extension, or a folder that cannot be read.
struct ImageFile {
    std::filesystem::path path;
    std::string error;  ///< if not empty: why this folder cannot be read
};

/// The extension with ASCII letters in lower case: ".jpg".
std::string lower_extension(const std::filesystem::path& path);

/// Whether a name ends with .jpg, .jpeg, .png or .webp.
bool is_image_name(const std::filesystem::path& path);

/// What a folder holds.
struct ImageFiles {
    std::vector<ImageFile> images;
    std::int64_t others = 0;      ///< files with the names of other image formats
    std::filesystem::path other;  ///< the first of them
};

/// The images below `folder`: files named .jpg, .jpeg, .png or .webp. Goes through folders in
/// natural order, and does not follow links to folders.
ImageFiles image_files(const std::filesystem::path& folder);

/// What a folder without images is told: which names are expected, and what is there instead.
std::string no_image_files(const ImageFiles& found);

}  // namespace vit::tools
