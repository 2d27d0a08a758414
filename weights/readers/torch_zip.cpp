#include "weights/readers/torch_zip.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "engine/base/text.h"
#include "vit/error.h"
#include "weights/readers/member_bytes.h"

namespace vit::inline internal {

namespace {

constexpr std::string_view pickle_name = "data.pkl";
constexpr std::string_view data_folder = "data/";
constexpr unsigned newest_version = 10;  // PyTorch's kMaxSupportedFileFormatVersion
constexpr std::uint64_t most_word_bytes = 64;
constexpr std::uint64_t most_pickle_bytes = std::uint64_t{64} << 20;
constexpr std::uint64_t most_inflated_pickle_bytes = std::uint64_t{8} << 20;  // for 50,000 tensors

const ZipMember* find_pickle(std::span<const ZipMember> members) {
    const auto found = std::find_if(members.begin(), members.end(), [](const ZipMember& member) {
        return member.name == pickle_name ||
               (member.name.ends_with("/data.pkl") &&
                std::count(member.name.begin(), member.name.end(), '/') == 1);
    });
    return found == members.end() ? nullptr : &*found;
}

[[noreturn]] void refuse(std::string_view where, const ZipMember& member, const std::string& what,
                         ErrorKind kind = ErrorKind::format) {
    throw Error(kind, fmt::format("{}: member {}: {}", where, in_quotes(member.name), what));
}

/// The text of a small member, without line ends after it.
std::string_view word(const ZipMember& member, TorchArchive& archive) {
    if (member.size > most_word_bytes)
        refuse(archive.where, member,
               fmt::format("expected one word, found {} bytes", member.size));
    const auto bytes = member_bytes(member, archive.where, *archive.owned);
    std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
    return text;
}

void read_byte_order(const ZipMember& member, TorchArchive& archive) {
    const std::string_view order = word(member, archive);
    if (order != "little" && order != "big")
        refuse(archive.where, member,
               fmt::format("expected little or big, found {}", in_quotes(order)),
               ErrorKind::unsupported);
    archive.big_endian = order == "big";
}

void check_version(const ZipMember& member, TorchArchive& archive) {
    const std::string_view text = word(member, archive);
    unsigned version = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
    if (error != std::errc() || end != text.data() + text.size() || version < 1 ||
        version > newest_version)
        refuse(archive.where, member,
               fmt::format("expected a version of torch's archives from 1 to {}, found {}; the "
                           "file is damaged or newer than this converter",
                           newest_version, in_quotes(text)),
               ErrorKind::unsupported);
}

void check_kind(const ZipMember& member, std::string_view folder, std::string_view where) {
    if (!member.name.starts_with(folder))
        refuse(where, member, "lies outside the folder of data.pkl");
    const std::string_view name = member.name.substr(folder.size());
    if (name == "constants.pkl" || name.starts_with("code/"))
        refuse(where, member,
               "is part of a TorchScript program, not of a checkpoint; save model.state_dict() "
               "with torch.save or as safetensors",
               ErrorKind::model);
}

}  // namespace

bool is_torch_zip(std::span<const ZipMember> members) {
    return find_pickle(members) != nullptr;
}

TorchArchive read_torch_zip(std::span<const ZipMember> members, std::string_view where) {
    const ZipMember* pickle = find_pickle(members);
    if (pickle == nullptr)
        throw Error(ErrorKind::format,
                    fmt::format("{}: expected a torch archive, found no data.pkl in it", where));
    const std::string_view folder =
        pickle->name.substr(0, pickle->name.size() - pickle_name.size());
    TorchArchive archive;
    archive.where = where;
    archive.storage_place = "member data/";
    archive.owned = std::make_shared<std::deque<std::vector<std::byte>>>();
    check_inflation(members, where);
    for (const ZipMember& member : members) check_kind(member, folder, where);
    for (const ZipMember& member : members) {
        const std::string_view name = member.name.substr(folder.size());
        if (name == "byteorder") read_byte_order(member, archive);
        if (name == "version") check_version(member, archive);
        if (name.starts_with(data_folder))
            archive.storages.emplace(name.substr(data_folder.size()), member);
    }
    const std::uint64_t most = pickle->method == ZipMethod::stored
                                   ? most_pickle_bytes
                                   : most_inflated_pickle_bytes + 4 * pickle->data.size();
    if (pickle->size > most)
        refuse(where, *pickle,
               fmt::format("expected at most {} bytes, found {}", most, pickle->size));
    archive.tree = read_pickle(member_bytes(*pickle, where, *archive.owned),
                               fmt::format("{}: member {}", where, in_quotes(pickle->name)));
    return archive;
}

}  // namespace vit::inline internal
