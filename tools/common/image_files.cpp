#include "tools/common/image_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <system_error>

#include "engine/base/text.h"
#include "tools/common/natural_order.h"

namespace vit::tools {

namespace fs = std::filesystem;

namespace {

/// Formats that the engine does not read.
bool is_other_image_name(const fs::path& path) {
    constexpr std::array<std::string_view, 10> extensions{
        ".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".heif", ".jxl", ".jp2", ".svg"};
    return std::ranges::find(extensions, lower_extension(path)) != extensions.end();
}

}  // namespace

std::string lower_extension(const fs::path& path) {
    std::string extension = path.extension().native();
    for (char& c : extension)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return extension;
}

bool is_image_name(const fs::path& path) {
    constexpr std::array<std::string_view, 4> extensions{".jpg", ".jpeg", ".png", ".webp"};
    return std::ranges::find(extensions, lower_extension(path)) != extensions.end();
}

std::string no_image_files(std::int64_t others, const fs::path& other) {
    std::string text = "no images here: expected .jpg, .jpeg, .png or .webp files";
    if (others > 0)
        text += fmt::format(", found {} image{} of other formats, such as {}", others,
                            others == 1 ? "" : "s", in_quotes(other.native()));
    return text;
}

void ImageWalk::enter(fs::path path) {
    Folder folder;
    std::error_code error;
    for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
        std::error_code ignored;
        const bool leads_to_folder = it->is_directory(ignored),
                   is_folder = leads_to_folder && !it->is_symlink(ignored);
        if (is_folder ||
            (!leads_to_folder && (is_image_name(it->path()) || is_other_image_name(it->path()))))
            folder.entries.push_back({it->path().filename().native(), is_folder});
    }
    if (error)
        folder = {{},
                  {},
                  0,
                  fmt::format("{}: cannot read the folder: {}", in_quotes(path.native()),
                              error.message())};
    std::ranges::sort(folder.entries, natural_less, &Entry::name);
    folder.path = std::move(path);
    folders_.push_back(std::move(folder));
}

std::optional<ImageFile> ImageWalk::next() {
    while (!folders_.empty()) {
        Folder& folder = folders_.back();
        if (folder.next == folder.entries.size()) {
            std::optional<ImageFile> failed;
            if (!folder.error.empty()) failed = {std::move(folder.path), std::move(folder.error)};
            folders_.pop_back();
            if (failed) return failed;
            continue;
        }
        const Entry& entry = folder.entries[folder.next++];
        fs::path path = folder.path / entry.name;
        if (entry.is_folder)
            enter(std::move(path));
        else if (is_image_name(path))
            return ImageFile{std::move(path), ""};
        else if (others_++ == 0)
            other_ = std::move(path);
    }
    return {};
}

ImageFiles image_files(const fs::path& folder) {
    ImageWalk walk(folder);
    ImageFiles found;
    while (std::optional<ImageFile> image = walk.next()) found.images.push_back(*std::move(image));
    found.others = walk.others();
    found.other = walk.other();
    return found;
}

}  // namespace vit::tools
