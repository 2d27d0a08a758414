// ImageNet's reassessed labels (Beyer et al., "Are we done with ImageNet?", 2020).
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "tools/evaluation/class_names.h"

namespace vit::tools {

/// The classes of each image of ImageNet's validation set, image 1 first. An image may have none.
using RealLabels = std::vector<std::vector<std::int64_t>>;

/// Reads real.json, a list of lists of classes. Throws Error(io), and Error(input) where the file
/// is something else or names a class that is not below `classes.count`.
RealLabels read_real_labels(const std::filesystem::path& path, const ClassNames& classes);

/// The classes of ILSVRC2012_val_00000001.JPEG and so on; another extension is fine. Throws
/// Error(input) where the file has another name, or the labels end before its number.
std::span<const std::int64_t> real_labels_of(const RealLabels& labels,
                                             const std::filesystem::path& file);

}  // namespace vit::tools
