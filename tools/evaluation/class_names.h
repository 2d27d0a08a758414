// The classes of an evaluation, and how texts name them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace vit::tools {

/// Finds a class by its name. Several names may mean one class.
using ClassIndex = std::unordered_map<std::string, std::int64_t>;

/// Classes 0 to count - 1.
struct ClassNames {
    std::int64_t count = 0;
    std::vector<std::string> labels;  ///< empty, or one per class; an empty label is not known
    /// False where only some classes are known, because they were collected from records.
    bool complete = true;
};

/// The label, or the index as text where there is none.
std::string label_of(const ClassNames& classes, std::int64_t index);

/// The class with this label. Empty where no class has it. Throws Error(input) that begins with
/// `where` if two classes have it.
std::optional<std::int64_t> class_with_label(const ClassNames& classes, std::string_view label,
                                             std::string_view where);

/// Reads a class map: a line for each class with its name, so that the first line is class 0; or
/// lines of a name and an index, if every line ends with a number. Empty lines at the end do not
/// count. Throws Error(io), and Error(input) for a name that occurs twice, an index that is not
/// below `classes.count`, or more lines than classes.
ClassIndex read_class_map(const std::filesystem::path& path, const ClassNames& classes);

/// Reads a whole number of at least 0. Empty for any other text.
std::optional<std::int64_t> parse_index(std::string_view text);

}  // namespace vit::tools
