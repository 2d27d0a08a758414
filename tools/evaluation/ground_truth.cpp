#include "tools/evaluation/ground_truth.h"

#include <fmt/format.h>

#include <optional>
#include <system_error>

#include "engine/base/text.h"
#include "tools/common/image_files.h"
#include "vit/error.h"

namespace vit::tools {

namespace fs = std::filesystem;

GroundTruth read_ground_truth(const fs::path& source, ClassNames& classes,
                              const fs::path& class_map) {
    std::error_code ignored;
    const fs::file_status status = fs::status(source, ignored);
    if (!fs::exists(status))
        throw Error(ErrorKind::io, fmt::format("{}: there is no such file or folder; expected a "
                                               "folder of class folders, or a CSV of file,label",
                                               in_quotes(source.native())));
    std::optional<ClassIndex> index;
    if (!class_map.empty()) index = read_class_map(class_map, classes);
    const ClassIndex* map = index ? &*index : nullptr;
    if (fs::is_directory(status)) return read_labelled_folders(source, classes, map);
    if (!fs::is_regular_file(status) || lower_extension(source) != ".csv")
        throw Error(ErrorKind::input,
                    fmt::format("{}: expected a folder of class folders, or a CSV of file,label "
                                "whose name ends with .csv",
                                in_quotes(source.native())));
    return read_labelled_csv(source, classes, map);
}

}  // namespace vit::tools
