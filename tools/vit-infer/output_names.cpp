#include "tools/vit-infer/output_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "engine/base/text.h"
#include "tools/common/image_files.h"
#include "vit/error.h"

namespace vit::infer {

namespace fs = std::filesystem;

std::optional<Format> format_of(const fs::path& output) {
    constexpr std::array formats{std::pair(std::string_view(".json"), Format::json),
                                 std::pair(std::string_view(".jsonl"), Format::jsonl),
                                 std::pair(std::string_view(".csv"), Format::csv),
                                 std::pair(std::string_view(".txt"), Format::text)};
    const std::string extension = tools::lower_extension(output);
    for (const auto& [name, format] : formats)
        if (extension == name) return format;
    return {};
}

void check_array_name(std::string_view option, const fs::path& path) {
    if (path.empty()) return;
    if (path == "-")
        throw Error(ErrorKind::usage,
                    fmt::format("{}: an array cannot go to standard output, because its header "
                                "holds the number of rows; name a .npy file",
                                option));
    constexpr std::array<std::string_view, 9> others{
        ".csv", ".tsv", ".txt", ".json", ".jsonl", ".npz", ".pt", ".pth", ".safetensors"};
    if (std::ranges::find(others, tools::lower_extension(path)) != others.end())
        throw Error(ErrorKind::usage,
                    fmt::format("{}: expected a name that ends with .npy, found {}", option,
                                in_quotes(path.native())));
}

}  // namespace vit::infer
