// SOURCE: the images of an evaluation and their true classes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tools/evaluation/class_names.h"

namespace vit::tools {

/// Images and the class of each. Both lists have the same length, which is not 0.
struct GroundTruth {
    std::filesystem::path base;  ///< the folder that SOURCE is, or that the CSV is in
    /// Paths. As std::filesystem::path, each would take several times as much memory.
    std::vector<std::string> files;
    std::vector<std::int64_t> classes;
};

/// Reads SOURCE: a folder that has a folder for each class, or a CSV with the columns `file` and
/// `label`. An image file that is missing or damaged is not noticed here. `classes.count` grows
/// where the classes are not complete.
///
/// A folder's class is the one that `class_map` names, if there is a class map. Otherwise it is the
/// class whose label is its name; or, where all names are WordNet numbers (n01440764) and the model
/// has 1000 classes, ImageNet's class of that synset; or, where no name is a label and there
/// are as many folders as classes, the class of its position in timm's order. Images are in the
/// order of the folders, and in the natural order of their names.
///
/// A CSV's labels are names of `class_map`, if there is one. Otherwise they are labels of classes
/// if all of them are; or else indices of classes. Files are relative to the folder of the CSV.
///
/// Throws Error(io) where SOURCE cannot be read, and Error(input) that names the folder or row
/// where it is not like this, or where a class has no images.
GroundTruth read_ground_truth(const std::filesystem::path& source, ClassNames& classes,
                              const std::filesystem::path& class_map);

/// The same for a folder.
GroundTruth read_labelled_folders(const std::filesystem::path& folder, ClassNames& classes,
                                  const ClassIndex* class_map);

/// The same for a CSV.
GroundTruth read_labelled_csv(const std::filesystem::path& path, ClassNames& classes,
                              const ClassIndex* class_map);

}  // namespace vit::tools
