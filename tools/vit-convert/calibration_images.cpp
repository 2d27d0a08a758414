#include "tools/vit-convert/calibration_images.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>

#include "engine/base/text.h"
#include "engine/base/threads.h"
#include "engine/model/transform.h"
#include "tools/common/class_folders.h"
#include "tools/common/image_files.h"
#include "vit/error.h"
#include "vit/image.h"

namespace vit::tools {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t most_calibrated = 32, most_measured = 512;

/// Whether item `i` of `n` is one of `wanted` items that are evenly spread.
bool is_chosen(std::size_t i, std::size_t n, std::size_t wanted) {
    return (i + 1) * wanted / n > i * wanted / n;
}

/// The class of each folder in `folder`; empty where folders are not classes.
std::map<std::string, std::int64_t> classes_in(const fs::path& folder, const ModelHeader& header) {
    const std::vector<std::string> names = class_folders(folder);
    std::map<std::string, std::int64_t> classes;
    if (names.empty() || static_cast<std::int64_t>(names.size()) != header.config.num_classes)
        return classes;
    const auto found = classes_of_folders(names, header.labels, header.config.num_classes);
    for (std::size_t i = 0; i < names.size(); ++i) classes[names[i]] = found->at(i);
    return classes;
}

}  // namespace

CalibrationFiles calibration_files(const fs::path& folder, const ModelHeader& header) {
    const std::string where = in_quotes(folder.native());
    if (header.config.in_chans != 3)
        throw Error(
            ErrorKind::unsupported,
            fmt::format("--calibrate: expected a model of images with 3 channels, found {}; "
                        "convert without --calibrate",
                        header.config.in_chans));
    std::error_code error;
    if (!fs::is_directory(folder, error))
        throw Error(ErrorKind::io, fmt::format("{}: expected a folder of images", where));
    const ImageFiles files_found = image_files(folder);
    const std::vector<ImageFile>& found = files_found.images;
    for (const ImageFile& file : found)
        if (!file.error.empty()) throw Error(ErrorKind::io, file.error);
    if (found.size() < 2)
        throw Error(ErrorKind::input,
                    found.empty()
                        ? fmt::format("{}: {}", where,
                                      no_image_files(files_found.others, files_found.other))
                        : fmt::format("{}: expected at least 2 images, one to calibrate on and one "
                                      "to measure on, found 1",
                                      where));
    const auto classes = classes_in(folder, header);
    CalibrationFiles files;
    const std::size_t calibrated = std::min(most_calibrated, found.size() / 2),
                      rest = found.size() - calibrated, measured = std::min(most_measured, rest);
    std::size_t left = 0;  // files so far that are not calibrated on
    for (std::size_t i = 0; i < found.size(); ++i) {
        LabelledFile file{found[i].path, {}};
        const std::string in = fs::relative(file.path, folder).begin()->native();
        if (const auto known = classes.find(in); known != classes.end()) file.label = known->second;
        if (is_chosen(i, found.size(), calibrated))
            files.calibrated.push_back(std::move(file));
        else if (is_chosen(left++, rest, measured))
            files.measured.push_back(std::move(file));
    }
    return files;
}

Images read_images(std::vector<LabelledFile>& files, const ModelHeader& header,
                   std::string& skipped) {
    const Transform transform = transform_of(header.preprocessing, header.config.image_size);
    Images images(files.size());
    std::vector<std::string> errors(files.size());
    std::atomic<std::size_t> next = 0;
    parallel(usable_threads(), [&](int, int) {
        for (std::size_t i; (i = next.fetch_add(1)) < files.size();) {
            try {
                std::vector<float> image(
                    static_cast<std::size_t>(3 * transform.height * transform.width));
                preprocess(decode_image(files[i].path), transform, image);
                images[i] = std::move(image);
            } catch (const Error& error) {
                errors[i] = error.what();
            }
        }
    });
    for (std::size_t i = files.size(); i-- > 0;) {
        if (errors[i].empty()) continue;
        skipped = errors[i];
        images.erase(images.begin() + static_cast<std::ptrdiff_t>(i));
        files.erase(files.begin() + static_cast<std::ptrdiff_t>(i));
    }
    return images;
}

std::vector<std::uint8_t> read_pixels(const LabelledFile& file, const ModelHeader& header) {
    return resize_and_crop(decode_image(file.path),
                           transform_of(header.preprocessing, header.config.image_size))
        .rgb;
}

}  // namespace vit::tools
