#include "tools/vit-infer/picture_files.h"

#include <fmt/format.h>

#include <system_error>
#include <utility>

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

/// The name of the input's file without its extension, and the row for an array.
std::string stem_of(const Input& input) {
    std::string stem = fs::path(input.path).stem().native();
    return input.rows ? fmt::format("{}-{}", stem, input.row) : stem;
}

}  // namespace

PictureFiles::PictureFiles(fs::path out, std::string kind, std::span<const Input> inputs)
    : out_(std::move(out)), kind_(std::move(kind)), inputs_(inputs) {
    for (const Input& input : inputs_)
        if (!input.path.empty()) read_.insert(real_path(input.path));
    if (is_picture(out_)) return;
    std::error_code error;
    fs::create_directories(out_, error);
    if (!fs::is_directory(out_))
        throw Error(
            ErrorKind::io,
            fmt::format("{}: expected a folder, or a name that ends with .png: {}",
                        in_quotes(out_.native()), error ? error.message() : "it is a file"));
}

fs::path PictureFiles::name_of(std::size_t index) {
    if (is_picture(out_)) {
        if (inputs_.size() == 1) return out_;
        return out_.parent_path() /
               fmt::format("{}-{}{}", out_.stem().native(), index + 1, out_.extension().native());
    }
    const std::string stem = stem_of(inputs_[index]);
    fs::path path = out_ / fmt::format("{}-{}.png", stem, kind_);
    for (int number = 2; used_.contains(path); ++number)
        path = out_ / fmt::format("{}-{}-{}.png", stem, kind_, number);
    used_.insert(path);
    return path;
}

fs::path PictureFiles::next(std::size_t index) {
    fs::path path = name_of(index);
    if (read_.contains(real_path(path)))
        throw Error(ErrorKind::usage,
                    in_quotes(path.native()) +
                        ": this picture would replace an input; write to another folder");
    return path;
}

}  // namespace vit::infer
