#include "tools/vit-eval/image_index.h"

#include <fmt/format.h>

#include <filesystem>
#include <string_view>

#include "engine/base/text.h"
#include "vit/error.h"

namespace vit::eval {

namespace fs = std::filesystem;

ImageIndex::ImageIndex(const tools::GroundTruth& truth) {
    for (std::size_t i = 0; i < truth.files.size(); ++i) {
        const fs::path path = fs::path(truth.files[i]).lexically_normal();
        const fs::path below =
            truth.base.empty() ? path : path.lexically_relative(truth.base.lexically_normal());
        const bool outside = below.empty() || *below.begin() == "..";
        if (!images_.emplace((outside ? path : below).native(), i).second)
            throw Error(ErrorKind::input,
                        fmt::format("{}: this image occurs twice; expected every image once",
                                    in_quotes(truth.files[i])));
    }
}

std::optional<std::size_t> ImageIndex::find(const std::string& file) const {
    std::string path = fs::path(file).lexically_normal().native();
    while (true) {
        if (const auto at = images_.find(path); at != images_.end()) return at->second;
        const std::size_t slash = path.find('/');
        if (slash == std::string::npos) return {};
        path.erase(0, slash + 1);
    }
}

}  // namespace vit::eval
