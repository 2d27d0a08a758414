// The image files of a folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
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

/// Goes through the images below a folder, one at a time: files named .jpg, .jpeg, .png or .webp.
/// Takes folders in natural order, and does not follow links to folders. Memory holds only the
/// names of the folder that it is in, and of those around it.
class ImageWalk {
  public:
    explicit ImageWalk(std::filesystem::path folder) { enter(std::move(folder)); }

    /// The next image, or a folder that cannot be read; nothing at the end.
    std::optional<ImageFile> next();

    /// Files with the names of other image formats so far, and the first of them.
    std::int64_t others() const { return others_; }
    const std::filesystem::path& other() const { return other_; }

  private:
    struct Entry {
        std::string name;
        bool is_folder;
    };
    struct Folder {
        std::filesystem::path path;
        std::vector<Entry> entries;
        std::size_t next = 0;
        std::string error;
    };
    void enter(std::filesystem::path path);

    std::vector<Folder> folders_;  // from the outermost to the one that is read
    std::int64_t others_ = 0;
    std::filesystem::path other_;
};

/// What a folder holds.
struct ImageFiles {
    std::vector<ImageFile> images;
    std::int64_t others = 0;      ///< files with the names of other image formats
    std::filesystem::path other;  ///< the first of them
};

/// All that ImageWalk finds.
ImageFiles image_files(const std::filesystem::path& folder);

/// What a folder without images is told: which names are expected, and what is there instead.
std::string no_image_files(std::int64_t others, const std::filesystem::path& other);

}  // namespace vit::tools
