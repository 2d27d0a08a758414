// Reads a pickle of torch.save as plain data. It knows a few opcodes and names, and executes
// nothing.
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
/// An integer that does not fit in 64 bits. Its value is not kept.
struct PickleBigInt {};
struct PickleList {
    std::vector<PickleId> items;
};
struct PickleTuple {
    std::vector<PickleId> items;
};
/// A dict or OrderedDict, in order of insertion. A key may occur twice; the later value counts.
struct PickleDict {
    std::vector<std::pair<PickleId, PickleId>> items;
};
/// A name that the pickle refers to: one of pickle_globals().
struct PickleGlobal {
    std::uint32_t index = 0;
};
/// The bytes of one or more tensors: the archive's member data/KEY, or the storage KEY in the older
/// format.
struct PickleStorage {
    std::string_view type;  ///< "FloatStorage", …, "UntypedStorage"
    std::string_view key;
    std::int64_t numel = 0;  ///< elements; bytes for UntypedStorage
    // The part that tensors see, in elements. It is everything, except in files of old releases.
    std::int64_t view_offset = 0;
    std::int64_t view_numel = 0;
};
/// How a tensor's values differ from the stored ones.
enum class TensorBits : std::uint8_t {
    none,
    negative,   ///< the stored ones times -1
    conjugate,  ///< the conjugates of the stored ones
    unknown,
};
struct PickleTensor {
    PickleId storage = 0;
    TensorBits bits = TensorBits::none;
    std::string_view
        dtype;  ///< torch's name where the storage is an UntypedStorage; otherwise empty
    std::int64_t offset = 0;           ///< in elements
    std::vector<std::int64_t> shape;   ///< not negative
    std::vector<std::int64_t> stride;  ///< in elements, as many as shape, not negative
};
/// argparse.Namespace as inert data.
struct PickleNamespace {
    PickleId state = 0;  ///< a dict; None before it is set
};
/// An object that training checkpoints contain and models do not need. Only its kind is kept.
struct PickleInert {
    std::string_view kind;   ///< "a device", "a set", "a sparse tensor", …
    bool is_tensor = false;  ///< a kind of tensor that cannot be read
};

using PickleValue = std::variant<PickleNone, bool, std::int64_t, double, std::string_view,
                                 PickleBytes, PickleBigInt, PickleList, PickleTuple, PickleDict,
                                 PickleGlobal, std::unique_ptr<PickleStorage>,
                                 std::unique_ptr<PickleTensor>, PickleNamespace, PickleInert>;

/// All values of one pickle. They refer to each other by index, so shared and cyclic data need no
/// special care, and the destructor does not recurse. Text is a view into the pickle's bytes.
class PickleTree {
  public:
    const PickleValue& root() const { return (*this)[root_]; }
    const PickleValue& operator[](PickleId id) const { return nodes_[id]; }
    /// The number of values. Every id is smaller.
    std::size_t size() const { return nodes_.size(); }
    /// Returns the value of a string key, or nullptr.
    const PickleValue* find(const PickleDict& dict, std::string_view key) const;

  private:
    friend class PickleReader;
    std::deque<PickleValue> nodes_;
    PickleId root_ = 0;
};

/// "a mapping", "a tensor", …, for messages.
std::string_view kind_name(const PickleValue& value);

/// Reads protocols 2 to 5. Limits: 64 MiB, 10 million opcodes, a nesting depth of 200, and memory
/// of three times the bytes that were read plus 24 MiB. `bytes` must outlive the tree. `where`
/// names the pickle in messages. Throws Error(format) with the byte offset, and Error(model) with
/// the name of a global that checkpoints do not need.
PickleTree read_pickle(std::span<const std::byte> bytes, std::string_view where);
/// The same for a pickle that other bytes may follow. Sets `size` to its length.
PickleTree read_pickle_at_start(std::span<const std::byte> bytes, std::string_view where,
                                std::size_t& size);

}  // namespace vit::inline internal
