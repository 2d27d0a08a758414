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

void list(const fs::path& folder, ImageFiles& found) {
    std::vector<fs::directory_entry> entries;
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
        entries.push_back(*it);
    if (error) {
        found.images.push_back({folder, fmt::format("{}: cannot read the folder: {}",
                                                    in_quotes(folder.native()), error.message())});
        return;
    }
    std::ranges::sort(entries, natural_less, [](const fs::directory_entry& entry) {
        return entry.path().filename().native();
    });
    for (const fs::directory_entry& entry : entries) {
        const bool real_folder = entry.is_directory(error) && !entry.is_symlink(error);
        if (real_folder)
            list(entry.path(), found);
        else if (is_image_name(entry.path()) && !entry.is_directory(error))
            found.images.push_back({entry.path(), ""});
        else if (is_other_image_name(entry.path()) && found.others++ == 0)
            found.other = entry.path();
    }
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

std::string no_image_files(const ImageFiles& found) {
    std::string text = "no images here: expected .jpg, .jpeg, .png or .webp files";
    if (found.others > 0)
        text += fmt::format(", found {} image{} of other formats, such as {}", found.others,
                            found.others == 1 ? "" : "s", in_quotes(found.other.native()));
    return text;
}

ImageFiles image_files(const fs::path& folder) {
    ImageFiles found;
    list(folder, found);
    return found;
}

}  // namespace vit::tools
