#include <fmt/format.h>

#include <algorithm>

#include "engine/base/text.h"
#include "tools/common/class_folders.h"
#include "tools/common/image_files.h"
#include "tools/evaluation/ground_truth.h"
#include "tools/labels/synsets.h"
#include "vit/error.h"

namespace vit::tools {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t imagenet_classes = 1000;

/// A folder of classes whose names have to be understood.
struct Naming {
    std::string where;  ///< SOURCE in quotes
    std::vector<std::string> names;
};

[[noreturn]] void refuse(const Naming& naming, const std::string& what) {
    throw Error(ErrorKind::input, fmt::format("{}: {}", naming.where, what));
}

std::vector<std::int64_t> classes_of_map(const Naming& naming, const ClassIndex& map) {
    std::vector<std::int64_t> found;
    for (const std::string& name : naming.names) {
        const auto at = map.find(name);
        if (at == map.end())
            refuse(naming, fmt::format("the folder {} is not in --class-map; add it there or "
                                       "remove the folder",
                                       in_quotes(name)));
        found.push_back(at->second);
    }
    return found;
}

bool is_synset(std::string_view name) {
    return name.size() == 9 && name[0] == 'n' &&
           std::all_of(name.begin() + 1, name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::vector<std::int64_t> classes_of_synsets(const Naming& naming) {
    std::vector<std::int64_t> found;
    for (const std::string& name : naming.names) {
        const auto index = imagenet_synset_class(name);
        if (!index)
            refuse(naming, fmt::format("the folder {} is not one of ImageNet's 1000 synsets; use "
                                       "--class-map or remove the folder",
                                       in_quotes(name)));
        found.push_back(*index);
    }
    return found;
}

std::vector<std::int64_t> classes_of_labels_or_order(const Naming& naming, ClassNames& classes) {
    const auto folders = static_cast<std::int64_t>(naming.names.size());
    std::int64_t labels = 0;
    const std::string* stranger = nullptr;
    for (const std::string& name : naming.names) {
        if (class_with_label(classes, name, naming.where))
            ++labels;
        else if (stranger == nullptr)
            stranger = &name;
    }
    if (stranger != nullptr && labels > 0)
        refuse(naming,
               fmt::format("the folder {} is not a label of the {}, but {} of {} folders are; "
                           "rename it, or use --class-map{}",
                           in_quotes(*stranger), classes.complete ? "model" : "records", labels,
                           folders, classes.complete ? "" : " or --model"));
    // Records may lack the classes with the highest indices.
    if (!classes.complete && stranger != nullptr) classes.count = std::max(classes.count, folders);
    const auto found = classes_of_folders(naming.names, classes.labels, classes.count);
    if (!found)
        refuse(naming, fmt::format("expected a folder for each of the {} classes, or folders with "
                                   "the names of labels, found {} folders such as {}; use "
                                   "--class-map",
                                   classes.count, folders, in_quotes(naming.names.front())));
    return *found;
}

std::vector<std::int64_t> classes_of_names(const Naming& naming, ClassNames& classes,
                                           const ClassIndex* class_map) {
    if (class_map != nullptr) return classes_of_map(naming, *class_map);
    const bool imagenet =
        classes.complete ? classes.count == imagenet_classes : classes.count <= imagenet_classes;
    const bool labelled = std::ranges::all_of(naming.names, [&](const std::string& name) {
        return std::ranges::find(classes.labels, name) != classes.labels.end();
    });
    if (imagenet && !labelled && std::ranges::all_of(naming.names, is_synset)) {
        classes.count = imagenet_classes;
        return classes_of_synsets(naming);
    }
    return classes_of_labels_or_order(naming, classes);
}

}  // namespace

GroundTruth read_labelled_folders(const fs::path& folder, ClassNames& classes,
                                  const ClassIndex* class_map) {
    const Naming naming{in_quotes(folder.native()), class_folders(folder)};
    if (naming.names.empty()) refuse(naming, "expected a folder for each class, found no folders");
    const std::vector<std::int64_t> found = classes_of_names(naming, classes, class_map);
    for (const fs::directory_entry& entry : fs::directory_iterator(folder))
        if (is_image_name(entry.path()) && !entry.is_directory())
            refuse(naming, fmt::format("the image {} is outside the class folders; move it into "
                                       "one of them",
                                       in_quotes(entry.path().filename().native())));
    GroundTruth truth;
    truth.base = folder;
    for (std::size_t i = 0; i < found.size(); ++i) {
        // A class folder may be a link, as timm allows.
        const ImageFiles files = image_files(folder / naming.names[i]);
        if (files.images.empty())
            refuse(naming, fmt::format("the class folder {} is empty: {}; remove it, or add images",
                                       in_quotes(naming.names[i]),
                                       no_image_files(files.others, files.other)));
        for (const ImageFile& file : files.images) {
            if (!file.error.empty()) throw Error(ErrorKind::io, file.error);
            truth.files.push_back(file.path.native());
            truth.classes.push_back(found[i]);
        }
    }
    for (const std::int64_t each : truth.classes) classes.count = std::max(classes.count, each + 1);
    return truth;
}

}  // namespace vit::tools
