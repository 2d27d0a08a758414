#include "tools/vit-infer/picture_files.h"

#include <fmt/format.h>

#include <set>
#include <system_error>

#include "engine/base/text.h"
#include "tools/vit-infer/look_options.h"
#include "vit/error.h"

namespace vit::infer {

namespace fs = std::filesystem;

namespace {

fs::path real_path(const fs::path& path) {
    std::error_code error;
    fs::path found = fs::weakly_canonical(path, error);
    return error ? path : found;
}

void make_folder(const fs::path& folder) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (!fs::is_directory(folder))
        throw Error(
            ErrorKind::io,
            fmt::format("{}: expected a folder, or a name that ends with .png: {}",
                        in_quotes(folder.native()), error ? error.message() : "it is a file"));
}

std::vector<fs::path> numbered(const fs::path& out, std::size_t count) {
    if (count == 1) return {out};
    std::vector<fs::path> paths;
    for (std::size_t i = 1; i <= count; ++i)
        paths.push_back(out.parent_path() /
                        fmt::format("{}-{}{}", out.stem().native(), i, out.extension().native()));
    return paths;
}

std::vector<fs::path> in_folder(const fs::path& folder, const std::string& kind,
                                std::span<const Input> inputs) {
    std::vector<fs::path> paths;
    std::set<fs::path> used;
    for (const Input& input : inputs) {
        std::string stem =
            (input.member.empty() ? input.path : fs::path(input.member)).stem().native();
        if (input.rows) stem += fmt::format("-{}", input.row);
        fs::path path = folder / fmt::format("{}-{}.png", stem, kind);
        for (int number = 2; !used.insert(path).second; ++number)
            path = folder / fmt::format("{}-{}-{}.png", stem, kind, number);
        paths.push_back(path);
    }
    return paths;
}

}  // namespace

std::vector<fs::path> picture_files(const fs::path& out, const std::string& kind,
                                    std::span<const Input> inputs) {
    if (!is_picture(out)) make_folder(out);
    std::vector<fs::path> paths =
        is_picture(out) ? numbered(out, inputs.size()) : in_folder(out, kind, inputs);
    std::set<fs::path> read;
    for (const Input& input : inputs)
        if (!input.path.empty()) read.insert(real_path(input.path));
    for (const fs::path& path : paths)
        if (read.contains(real_path(path)))
            throw Error(ErrorKind::usage,
                        in_quotes(path.native()) +
                            ": this picture would replace an input; write to another folder");
    return paths;
}

}  // namespace vit::infer
