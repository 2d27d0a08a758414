// The image files of a folder.
#pragma once

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

/// Whether the name is that of an image: .jpg, .jpeg, .png or .webp.
bool is_image_name(const std::filesystem::path& path);

/// The images below `folder`: files named .jpg, .jpeg, .png or .webp. Goes through folders in
/// natural order, and does not follow links to folders.
std::vector<ImageFile> image_files(const std::filesystem::path& folder);

/// What a folder without images is told.
inline constexpr const char* no_image_files =
    "no images here: expected .jpg, .jpeg, .png or .webp files";

}  // namespace vit::tools
