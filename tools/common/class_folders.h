// Folders that are classes: every folder holds the images of one class.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vit::tools {

/// The order in which timm numbers class folders (timm.utils.misc.natural_key): numbers count as
/// numbers, and capital letters (of ASCII) as small ones.
bool class_folder_less(std::string_view a, std::string_view b);

/// The names of the folders in `folder`, in that order. Throws std::filesystem::filesystem_error.
std::vector<std::string> class_folders(const std::filesystem::path& folder);

/// The class of each of `names`, which are in the order of class_folders(): the class whose label
/// is the name; or, where there are as many names as classes and some name is not a label, the
/// class of the name's position. None where neither is possible.
std::optional<std::vector<std::int64_t>> classes_of_folders(std::span<const std::string> names,
                                                            std::span<const std::string> labels,
                                                            std::int64_t num_classes);

}  // namespace vit::tools
