#include "weights/readers/checkpoint.h"

#include <fmt/format.h>

#include <fstream>
#include <system_error>
#include <utility>

#include "vit/error.h"
#include "weights/model_file/mapped_file.h"
#include "weights/model_file/safetensors.h"
#include "weights/model_file/text.h"
#include "weights/readers/container.h"
#include "weights/readers/npz.h"
#include "weights/readers/state_dict.h"
#include "weights/readers/torch_zip.h"
#include "weights/readers/zip_members.h"

namespace vit {

namespace {

constexpr std::uint64_t most_config_bytes = std::uint64_t{16} << 20;

// timm's order of preference in a local folder.
constexpr const char* weights_names[] = {
    "model.safetensors", "pytorch_model.bin",           "pytorch_model.pth",
    "model.pth",         "open_clip_model.safetensors", "open_clip_pytorch_model.bin"};

std::filesystem::path weights_in(const std::filesystem::path& folder) {
    std::error_code ignored;
    for (const char* name : weights_names)
        if (std::filesystem::exists(folder / name, ignored)) return folder / name;
    const bool sharded =
        std::filesystem::exists(folder / "model.safetensors.index.json", ignored) ||
        std::filesystem::exists(folder / "pytorch_model.bin.index.json", ignored);
    throw Error(sharded ? ErrorKind::unsupported : ErrorKind::io,
                fmt::format("{}: expected model.safetensors, pytorch_model.bin, pytorch_model.pth "
                            "or model.pth in this folder, found {}",
                            in_quotes(folder.native()),
                            sharded ? "weights split over several files; save them as one file"
                                    : "none; name the weights file itself"));
}

std::optional<std::string> read_config(const std::filesystem::path& path) {
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(path, ignored)) return std::nullopt;
    std::ifstream in(path, std::ios::binary);
    const auto size = std::filesystem::file_size(path, ignored);
    if (!in || ignored)
        throw Error(ErrorKind::io, fmt::format("{}: cannot read", in_quotes(path.native())));
    if (size > most_config_bytes)
        throw Error(ErrorKind::format,
                    fmt::format("{}: expected at most {} bytes, found {}", in_quotes(path.native()),
                                most_config_bytes, size));
    std::string text(static_cast<std::size_t>(size), '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (static_cast<std::uint64_t>(in.gcount()) != size)
        throw Error(ErrorKind::io,
                    fmt::format("{}: cannot read {} bytes", in_quotes(path.native()), size));
    return text;
}

}  // namespace

Checkpoint parse_checkpoint(std::span<const std::byte> bytes, std::string_view file,
                            EmaChoice ema) {
    const std::string where = in_quotes(file);
    Checkpoint checkpoint;
    const auto no_ema_here = [&] {
        if (ema == EmaChoice::ema)
            throw Error(ErrorKind::model,
                        fmt::format("{}: EMA weights were asked for, but {} files have one set of "
                                    "weights only",
                                    where, checkpoint.container));
    };
    if (tell_container(bytes, where) == Container::safetensors) {
        checkpoint.container = "safetensors";
        no_ema_here();
        checkpoint.tensors = parse_safetensors(bytes, file).tensors;
        clean_names(checkpoint, where);
        return checkpoint;
    }
    const std::vector<ZipMember> members = zip_members(bytes, where);
    if (is_torch_zip(members)) {
        checkpoint.container = "torch zip";
        take_state_dict(read_torch_zip(members, where), ema, checkpoint);
    } else if (is_npz(members)) {
        checkpoint.container = "npz";
        no_ema_here();
        auto arrays = std::make_shared<NpzArrays>(parse_npz(bytes, members, where));
        checkpoint.tensors = std::move(arrays->tensors);
        checkpoint.storage = std::move(arrays);
    } else {
        throw Error(ErrorKind::format,
                    fmt::format("{}: expected a torch archive (data.pkl) or .npy arrays in this "
                                "zip archive, found neither",
                                where));
    }
    clean_names(checkpoint, where);
    return checkpoint;
}

Checkpoint read_checkpoint(const std::filesystem::path& source, EmaChoice ema) {
    std::error_code ignored;
    const bool is_folder = std::filesystem::is_directory(source, ignored);
    const std::filesystem::path path = is_folder ? weights_in(source) : source;

    struct Storage {
        MappedFile file;
        std::shared_ptr<const void> owned;
    };
    const auto storage = std::make_shared<Storage>(Storage{MappedFile(path), nullptr});
    Checkpoint checkpoint = parse_checkpoint(storage->file.bytes(), path.native(), ema);
    storage->owned = std::move(checkpoint.storage);
    checkpoint.storage = storage;
    checkpoint.path = path;
    checkpoint.config_json = read_config(path.parent_path() / "config.json");
    checkpoint.open_clip_json = read_config(path.parent_path() / "open_clip_config.json");
    if (checkpoint.config_json && !is_folder)
        checkpoint.notes.push_back("read config.json from the folder of the weights");
    return checkpoint;
}

}  // namespace vit
