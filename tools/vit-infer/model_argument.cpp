#include "tools/vit-infer/model_argument.h"

#include <fmt/format.h>

#include <array>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>

#include "engine/base/text.h"
#include "vit/error.h"

namespace vit::infer {

namespace {

using namespace std::string_view_literals;

struct Lookalike {
    std::string_view start;
    std::string_view what;
    std::string_view advice;
};

constexpr std::string_view swapped =
    "are MODEL and INPUT swapped? The model comes first: vit-infer MODEL.vit INPUT...";
constexpr std::string_view convert = "convert it first: vit-convert CHECKPOINT -o MODEL.vit";

constexpr std::array lookalikes{
    Lookalike{"\xff\xd8\xff"sv, "a JPEG image", swapped},
    Lookalike{"\x89PNG\r\n"sv, "a PNG image", swapped},
    Lookalike{"RIFF"sv, "a WebP image", swapped},
    Lookalike{"\x93NUMPY"sv, "an .npy array", swapped},
    Lookalike{"PK\x03\x04"sv, "a zip archive, such as torch's checkpoints", convert},
};

std::string first_bytes(const std::filesystem::path& path) {
    std::string bytes(16, '\0');
    std::ifstream in(path, std::ios::binary);
    in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    bytes.resize(static_cast<std::size_t>(in.gcount()));
    return bytes;
}

}  // namespace

void check_model_argument(const std::filesystem::path& model) {
    const std::string where = in_quotes(model.native());
    std::error_code ignored;
    if (std::filesystem::is_directory(model, ignored))
        throw Error(ErrorKind::io,
                    fmt::format("{}: expected a model file, found a folder; if it holds a "
                                "checkpoint, {}",
                                where, convert));
    if (!std::filesystem::is_regular_file(model, ignored)) return;  // a read could wait
    const std::string bytes = first_bytes(model);
    for (const Lookalike& each : lookalikes)
        if (bytes.starts_with(each.start))
            throw Error(ErrorKind::model, fmt::format("{}: expected a model file, found {}; {}",
                                                      where, each.what, each.advice));
}

}  // namespace vit::infer
