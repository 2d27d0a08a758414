#include "weights/readers/container.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string>

#include "vit/error.h"
#include "weights/readers/little_endian.h"
#include "weights/readers/npy.h"
#include "weights/readers/torch_legacy.h"
#include "weights/readers/zip_members.h"

namespace vit::inline internal {

namespace {

constexpr std::uint64_t most_header_bytes = 100'000'000;

struct Lookalike {
    std::size_t offset;
    std::string_view bytes;
    std::string_view advice;
};

using namespace std::string_view_literals;

constexpr std::size_t tar_magic_at = 257;
// Members of torch's tar format. A tar archive begins with the name of its first member.
constexpr std::string_view torch_tar_names[] = {"sys_info", "pickle", "storages", "tensors"};

constexpr Lookalike lookalikes[] = {
    {tar_magic_at, "ustar"sv, "a tar archive; unpack it first"},
    {0, "version https://git-lfs"sv,
     "a Git LFS pointer, not the file itself; fetch it with: git lfs pull"},
    {0, "\x89HDF\r\n\x1a\n"sv, "an HDF5 file (Keras); export the weights as safetensors"},
    {0, "GGUF"sv, "a GGUF file; convert the original checkpoint instead"},
    {0, "\x1f\x8b"sv, "gzip data; decompress it first"},
    {0, "BZh"sv, "bzip2 data; decompress it first"},
    {0,
     "\xfd"
     "7zXZ\0"sv,
     "xz data; decompress it first"},
    {0, "7z\xbc\xaf\x27\x1c"sv, "a 7z archive; unpack it first"},
    {0, "Rar!"sv, "a RAR archive; unpack it first"},
    {0, "<!doctype html"sv, "a web page; was the download an error page or a login page?"},
    {0, "<html"sv, "a web page; was the download an error page or a login page?"},
    {0, "<?xml"sv, "XML text; was the download an error message?"},
};

std::string folded(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) {
        return c < 0x80 ? static_cast<char>(std::tolower(c)) : static_cast<char>(c);
    });
    return out;
}

bool is_torch_tar(std::string_view start) {
    return start.size() > tar_magic_at && start.substr(tar_magic_at).starts_with("ustar") &&
           std::any_of(std::begin(torch_tar_names), std::end(torch_tar_names),
                       [&](std::string_view name) {
                           return start.starts_with(name) &&
                                  (start[name.size()] == '\0' || start[name.size()] == '/');
                       });
}

}  // namespace

Container tell_container(std::span<const std::byte> bytes, std::string_view where) {
    const auto found = [&](std::string_view what) {
        throw Error(ErrorKind::format,
                    fmt::format("{}: expected a checkpoint (safetensors, torch.save or npz), found "
                                "{}",
                                where, what));
    };
    if (bytes.empty()) found("an empty file");
    if (looks_like_zip(bytes)) return Container::zip;
    if (looks_like_torch_legacy(bytes)) return Container::torch_legacy;
    if (bytes.size() > 8 && bytes[8] == std::byte{'{'} &&
        LittleEndian(bytes).u64(0) <= most_header_bytes)
        return Container::safetensors;

    const std::string_view start(reinterpret_cast<const char*>(bytes.data()),
                                 std::min<std::size_t>(bytes.size(), 512));
    if (is_torch_tar(start))
        found(
            "a checkpoint in torch's tar format from before PyTorch 0.1.10, which is not read "
            "here; if you trust the file, re-save it in Python: torch.save(torch.load(FILE, "
            "weights_only=False), NEW_FILE)");
    const std::string_view text =
        start.substr(std::min(start.find_first_not_of(" \t\r\n"), start.size()));
    for (const Lookalike& known : lookalikes)
        if (start.substr(std::min(known.offset, start.size())).starts_with(known.bytes) ||
            (known.offset == 0 && folded(text).starts_with(known.bytes)))
            found(known.advice);
    if (start.starts_with("\x80") && start.size() > 1 && start[1] >= 1 && start[1] <= 5)
        found(
            "a Python pickle that torch.save did not write; if you trust the file, load it in "
            "Python and save the tensors by name with torch.save or as safetensors");
    if (looks_like_npy(bytes)) found("a single .npy array, which holds no names");
    if (text.starts_with("{") || text.starts_with("["))
        found("JSON text; give the weights file or the folder that holds both");
    found("other bytes; is the file damaged?");
    return Container::zip;  // not reached
}

}  // namespace vit::inline internal
