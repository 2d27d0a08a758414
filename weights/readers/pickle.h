// A pickle of torch.save read as plain data: a few opcodes, a few known names, nothing executed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace vit::inline internal {

/// Index of a value in its PickleTree.
using PickleId = std::uint32_t;

struct PickleNone {};
struct PickleBytes {
    std::string_view bytes;
};
/// An integer that does not fit in 64 bits; its value is not kept.
struct PickleBigInt {};
struct PickleList {
    std::vector<PickleId> items;
};
struct PickleTuple {
    std::vector<PickleId> items;
};
/// dict or OrderedDict, in order of insertion. A key may occur again: the later value counts.
struct PickleDict {
    std::vector<std::pair<PickleId, PickleId>> items;
};
/// A name that the pickle refers to: one of pickle_globals().
struct PickleGlobal {
    std::uint32_t index = 0;
};
/// The bytes of one or more tensors: the archive's member data/KEY, or what the older format keeps
/// under KEY.
struct PickleStorage {
    std::string_view type;  ///< "FloatStorage", …, "UntypedStorage"
    std::string_view key;
    std::int64_t numel = 0;  ///< elements; bytes for UntypedStorage
    // The part that tensors see, in elements: all of it but where old releases say otherwise.
    std::int64_t view_offset = 0;
    std::int64_t view_numel = 0;
};
/// What a tensor's metadata says of its values.
enum class TensorBits : std::uint8_t {
    none,
    negative,   ///< they are those stored times -1
    conjugate,  ///< they are the conjugates of those stored
    unknown,
};
struct PickleTensor {
    PickleId storage = 0;
    TensorBits bits = TensorBits::none;
    std::string_view dtype;   ///< torch's name, for tensors of an UntypedStorage; else empty
    std::int64_t offset = 0;  ///< in elements
    std::vector<std::int64_t> shape;   ///< not negative
    std::vector<std::int64_t> stride;  ///< in elements, as many as shape, not negative
};
/// argparse.Namespace as inert data.
struct PickleNamespace {
    PickleId state = 0;  ///< a dict; None before it is set
};
/// Something that a training checkpoint may hold and no model needs: what it is, not its content.
struct PickleInert {
    std::string_view kind;   ///< "a device", "a set", "a sparse tensor", …
    bool is_tensor = false;  ///< of a kind that cannot be read
};

using PickleValue = std::variant<PickleNone, bool, std::int64_t, double, std::string_view,
                                 PickleBytes, PickleBigInt, PickleList, PickleTuple, PickleDict,
                                 PickleGlobal, std::unique_ptr<PickleStorage>,
                                 std::unique_ptr<PickleTensor>, PickleNamespace, PickleInert>;

/// All values of one pickle, referring to one another by index: shared and cyclic data cost nothing
/// special, and destruction does not recurse. Text is a view into the pickle's bytes.
class PickleTree {
  public:
    const PickleValue& root() const { return (*this)[root_]; }
    const PickleValue& operator[](PickleId id) const { return nodes_[id]; }
    /// How many values there are: ids are smaller.
    std::size_t size() const { return nodes_.size(); }
    /// The value under a string key; nullptr when there is none.
    const PickleValue* find(const PickleDict& dict, std::string_view key) const;

  private:
    friend class PickleReader;
    std::deque<PickleValue> nodes_;
    PickleId root_ = 0;
};

/// "a mapping", "a tensor", …, for messages.
std::string_view kind_name(const PickleValue& value);

/// Protocols 2 to 5. At most 64 MiB, 10 million opcodes, nesting of 200 and as much memory as three
/// times what was read of the pickle plus 24 MiB. `bytes` must outlive the tree. `where` names the
/// pickle in messages. Throws Error(format) naming the byte offset; Error(model) naming a global
/// that checkpoints do not need.
PickleTree read_pickle(std::span<const std::byte> bytes, std::string_view where);
/// The same for a pickle that other bytes may follow; `size` becomes its length.
PickleTree read_pickle_at_start(std::span<const std::byte> bytes, std::string_view where,
                                std::size_t& size);

}  // namespace vit::inline internal
