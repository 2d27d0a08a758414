#include "weights/readers/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <system_error>
#include <utility>

#include "engine/base/text.h"
#include "engine/model/mapped_file.h"
#include "engine/model/safetensors.h"
#include "vit/error.h"
#include "weights/readers/container.h"
#include "weights/readers/npz.h"
#include "weights/readers/shards.h"
#include "weights/readers/state_dict.h"
#include "weights/readers/torch_legacy.h"
#include "weights/readers/torch_zip.h"
#include "weights/readers/zip_members.h"

namespace vit::inline internal {

namespace {

constexpr std::uint64_t most_config_bytes = std::uint64_t{16} << 20;

// Names of weights files in a folder, in the order in which the libraries prefer them.
constexpr const char* weights_names[] = {
    "model.safetensors",           "model.safetensors.index.json",
    "pytorch_model.bin",           "pytorch_model.bin.index.json",
    "pytorch_model.pth",           "model.pth",
    "open_clip_model.safetensors", "open_clip_pytorch_model.bin",
};
constexpr std::string_view index_suffix = ".index.json";

/// Names of some files in the folder that end like checkpoints, for a message.
std::string candidates_in(const std::filesystem::path& folder) {
    constexpr std::size_t most = 3;
    constexpr std::string_view endings[] = {".safetensors", ".pth", ".pt",  ".bin",
                                            ".ckpt",        ".tar", ".npz", ".vit"};
    std::vector<std::string> names;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
        const std::string name = entry.path().filename().string();
        if (std::ranges::any_of(endings, [&](std::string_view e) { return name.ends_with(e); }))
            names.push_back(in_quotes(name));
    }
    std::ranges::sort(names);
    if (names.size() > most) {
        names.resize(most);
        names.push_back("…");
    }
    return fmt::format("{}", fmt::join(names, ", "));
}

std::filesystem::path weights_in(const std::filesystem::path& folder) {
    std::error_code ignored;
    for (const char* name : weights_names)
        if (std::filesystem::exists(folder / name, ignored)) return folder / name;
    const std::string found = candidates_in(folder);
    throw Error(ErrorKind::io,
                fmt::format("{}: expected model.safetensors, pytorch_model.bin, pytorch_model.pth "
                            "or model.pth in this folder, found {}; name the weights file itself",
                            in_quotes(folder.native()), found.empty() ? "none" : found));
}

std::optional<std::string> read_text(const std::filesystem::path& path) {
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) return std::nullopt;
    // Opening a pipe would block, and reading a device may never end.
    if (!std::filesystem::is_regular_file(path, ignored))
        throw Error(
            ErrorKind::format,
            fmt::format(
                "{}: expected a file, found {}", in_quotes(path.native()),
                std::filesystem::is_directory(path, ignored) ? "a folder" : "a device or a pipe"));
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

/// Reads the weights. The names stay as they are in the file.
Checkpoint parse_weights(std::span<const std::byte> bytes, std::string_view file, EmaChoice ema) {
    const std::string where = in_quotes(file);
    Checkpoint checkpoint;
    const auto no_ema_here = [&] {
        if (ema == EmaChoice::ema)
            throw Error(ErrorKind::model,
                        fmt::format("{}: EMA weights were requested, but {} files have one set of "
                                    "weights only",
                                    where, checkpoint.container));
    };
    const Container container = tell_container(bytes, where);
    if (container == Container::torch_legacy) {
        checkpoint.container = "torch before 1.6";
        take_state_dict(read_torch_legacy(bytes, where), ema, checkpoint);
        return checkpoint;
    }
    if (container == Container::safetensors) {
        checkpoint.container = "safetensors";
        no_ema_here();
        Safetensors content = parse_safetensors(bytes, file);
        if (const auto format = content.metadata.find("format");
            format != content.metadata.end() && format->second == "vit")
            throw Error(ErrorKind::model,
                        fmt::format("{}: this is already a model file; run it with vit-infer, or "
                                    "convert the checkpoint that it was made from",
                                    where));
        checkpoint.tensors = std::move(content.tensors);
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
    return checkpoint;
}

struct Storage {
    MappedFile file;
    std::shared_ptr<const void> owned;
};

/// Reads the weights of one file. The checkpoint's storage keeps the file mapped.
Checkpoint read_weights(const std::filesystem::path& path, EmaChoice ema) {
    const auto storage = std::make_shared<Storage>(Storage{MappedFile(path), nullptr});
    Checkpoint checkpoint = parse_weights(storage->file.bytes(), path.native(), ema);
    storage->owned = std::move(checkpoint.storage);
    checkpoint.storage = storage;
    checkpoint.files = {path};
    return checkpoint;
}

/// Reads the weights of all files that the index names.
Checkpoint read_shards(const std::filesystem::path& index_path, EmaChoice ema) {
    const std::string where = in_quotes(index_path.native());
    const std::optional<std::string> text = read_text(index_path);
    if (!text) throw Error(ErrorKind::io, fmt::format("{}: cannot read", where));
    Checkpoint all;
    const auto storage = std::make_shared<std::vector<std::shared_ptr<const void>>>();
    for (const auto& [name, listed] : parse_shard_index(*text, where)) {
        const std::filesystem::path path = index_path.parent_path() / name;
        std::error_code ignored;
        if (!std::filesystem::is_regular_file(path, ignored))
            throw Error(ErrorKind::io,
                        fmt::format("{}: {} is missing; get every file that the index names", where,
                                    in_quotes(path.native())));
        Checkpoint shard = read_weights(path, ema);
        check_shard(listed, shard.tensors, name, where);
        all.container = shard.container;
        all.files.push_back(path);
        all.tensors.insert(all.tensors.end(), shard.tensors.begin(), shard.tensors.end());
        all.other_entries.insert(all.other_entries.end(), shard.other_entries.begin(),
                                 shard.other_entries.end());
        all.notes.insert(all.notes.end(), shard.notes.begin(), shard.notes.end());
        storage->push_back(std::move(shard.storage));
    }
    all.notes.push_back(fmt::format("weights from {} files", all.files.size()));
    all.storage = storage;
    return all;
}

}  // namespace

Checkpoint parse_checkpoint(std::span<const std::byte> bytes, std::string_view file,
                            EmaChoice ema) {
    Checkpoint checkpoint = parse_weights(bytes, file, ema);
    clean_names(checkpoint, in_quotes(file));
    return checkpoint;
}

Checkpoint read_checkpoint(const std::filesystem::path& source, EmaChoice ema,
                           Neighbours neighbours) {
    std::error_code ignored;
    const bool is_folder = std::filesystem::is_directory(source, ignored);
    const std::filesystem::path path = is_folder ? weights_in(source) : source;
    Checkpoint checkpoint =
        path.native().ends_with(index_suffix) ? read_shards(path, ema) : read_weights(path, ema);
    clean_names(checkpoint, in_quotes(path.native()));
    checkpoint.path = path;
    if (neighbours == Neighbours::ignored) return checkpoint;

    const std::filesystem::path folder = path.parent_path();
    checkpoint.config_json = read_text(folder / "config.json");
    for (const char* name : {"preprocessor_config.json", "processor_config.json"})
        if (!checkpoint.preprocessor_json) checkpoint.preprocessor_json = read_text(folder / name);
    checkpoint.open_clip_json = read_text(folder / "open_clip_config.json");
    if (checkpoint.config_json && !is_folder)
        checkpoint.notes.push_back("read config.json from the folder of the weights");
    return checkpoint;
}

}  // namespace vit::inline internal
