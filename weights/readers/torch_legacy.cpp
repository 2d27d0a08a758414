#include "weights/readers/torch_legacy.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "engine/base/checked.h"
#include "engine/base/text.h"
#include "vit/error.h"
#include "weights/readers/little_endian.h"

namespace vit::inline internal {

namespace {

// The opcodes LONG1 with the number 0x1950a86a20f9469cfc6c, and STOP.
constexpr std::string_view magic = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
constexpr std::size_t proto_bytes = 2;
constexpr std::size_t frame_bytes = 9;  // opcode FRAME, since pickle protocol 4
constexpr std::int64_t protocol_version = 1001;
constexpr std::size_t count_bytes = 8;

/// Length of the first pickle in bytes; 0 where it is not the magic number.
std::size_t magic_size(std::span<const std::byte> bytes) {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (!text.starts_with('\x80') || text.size() < proto_bytes) return 0;
    for (const std::size_t before : {proto_bytes, proto_bytes + frame_bytes})
        if (text.size() > before && text.substr(before).starts_with(magic) &&
            (before == proto_bytes || text[proto_bytes] == '\x95'))
            return before + magic.size();
    return 0;
}

class LegacyReader {
  public:
    LegacyReader(std::span<const std::byte> bytes, std::string_view where)
        : bytes_(bytes), where_(where) {}

    TorchArchive read() {
        at_ = magic_size(bytes_);
        if (at_ == 0) refuse("expected the magic number of torch.save, found other bytes");
        check_protocol();
        check_system();
        TorchArchive archive;
        archive.where = where_;
        archive.storage_place = "storage ";
        archive.owned = std::make_shared<std::deque<std::vector<std::byte>>>();
        archive.tree = pickle("the content");
        collect_sizes(archive.tree);
        // The keys are views into the file, like all text of pickles, so they stay valid.
        const PickleTree keys = pickle("the list of storages");
        const auto* list = std::get_if<PickleList>(&keys.root());
        if (list == nullptr)
            refuse(fmt::format("expected a list of storages, found {}", kind_name(keys.root())));
        for (const PickleId id : list->items) {
            const auto* key = std::get_if<std::string_view>(&keys[id]);
            if (key == nullptr)
                refuse(
                    fmt::format("expected text as a storage's key, found {}", kind_name(keys[id])));
            const auto data = storage(*key);
            if (!archive.storages.emplace(*key, ZipMember{*key, data, data.size()}).second)
                refuse(fmt::format("storage {} is listed twice", in_quotes(*key)));
        }
        if (at_ != bytes_.size())
            refuse(
                fmt::format("expected the file to end with its last storage, at byte {}, but "
                            "{} bytes follow",
                            at_, bytes_.size() - at_));
        return archive;
    }

  private:
    [[noreturn]] void refuse(const std::string& what, ErrorKind kind = ErrorKind::format) const {
        throw Error(kind, fmt::format("{}: {}", where_, what));
    }

    PickleTree pickle(std::string_view what) {
        std::size_t size = 0;
        PickleTree tree = read_pickle_at_start(
            bytes_.subspan(at_), fmt::format("{}: {} (from byte {})", where_, what, at_), size);
        at_ += size;
        return tree;
    }

    void check_protocol() {
        const PickleTree tree = pickle("torch's protocol version");
        const auto* version = std::get_if<std::int64_t>(&tree.root());
        if (version == nullptr || *version != protocol_version)
            refuse(fmt::format("expected torch's protocol version {}, found {}", protocol_version,
                               version == nullptr ? std::string(kind_name(tree.root()))
                                                  : std::to_string(*version)),
                   ErrorKind::unsupported);
    }

    /// Only checks that this pickle is a mapping. torch does not use it either: storages are
    /// little-endian on every machine.
    void check_system() {
        const PickleTree tree = pickle("what it says of the system");
        if (!std::holds_alternative<PickleDict>(tree.root()))
            refuse(fmt::format("expected a mapping that describes the system, found {}",
                               kind_name(tree.root())));
    }

    struct Size {
        std::string_view type;
        std::int64_t numel = 0;
    };

    /// Collects type and length of every storage from the content, because the list of storages has
    /// only the keys.
    void collect_sizes(const PickleTree& tree) {
        for (std::size_t i = 0; i < tree.size(); ++i) {
            const auto* found =
                std::get_if<std::unique_ptr<PickleStorage>>(&tree[static_cast<PickleId>(i)]);
            if (found == nullptr) continue;
            const PickleStorage& storage = **found;
            const auto [place, inserted] =
                sizes_.try_emplace(storage.key, Size{storage.type, storage.numel});
            const Size& known = place->second;
            if (!inserted && (known.type != storage.type || known.numel != storage.numel))
                refuse(fmt::format("storage {} is a {} of {} and a {} of {} elements",
                                   in_quotes(storage.key), known.type, known.numel, storage.type,
                                   storage.numel));
        }
    }

    std::span<const std::byte> take(std::uint64_t size, const std::string& what) {
        if (size > bytes_.size() - at_)
            refuse(
                fmt::format("{} should have {} bytes from byte {}, but only {} follow; the file "
                            "is truncated (was the download complete?)",
                            what, size, at_, bytes_.size() - at_));
        const auto part = bytes_.subspan(at_, static_cast<std::size_t>(size));
        at_ += part.size();
        return part;
    }

    std::span<const std::byte> storage(std::string_view key) {
        const std::string what = fmt::format("storage {}", in_quotes(key));
        const auto known = sizes_.find(key);
        if (known == sizes_.end()) refuse(what + " is listed, but nothing refers to it");
        const std::uint64_t count = LittleEndian(take(count_bytes, what)).u64(0);
        const auto numel = static_cast<std::uint64_t>(known->second.numel);
        if (count != numel)
            refuse(fmt::format("{}: expected {} elements, found a count of {} at byte {}", what,
                               numel, count, at_ - count_bytes));
        const auto item = storage_item_size(known->second.type);
        if (!item)
            refuse(fmt::format("{}: elements of {} have no known size", what, known->second.type),
                   ErrorKind::unsupported);
        return take(checked::mul(count, *item, where_), what);
    }

    std::span<const std::byte> bytes_;
    std::string_view where_;
    std::size_t at_ = 0;
    std::map<std::string_view, Size> sizes_;  ///< of every storage, by key
};

}  // namespace

bool looks_like_torch_legacy(std::span<const std::byte> bytes) noexcept {
    return magic_size(bytes) != 0;
}

TorchArchive read_torch_legacy(std::span<const std::byte> bytes, std::string_view where) {
    return LegacyReader(bytes, where).read();
}

}  // namespace vit::inline internal
