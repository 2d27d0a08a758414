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
/// An integer that is stored in more than 8 bytes. Its value is not kept.
struct PickleBigInt {};
struct PickleList {
    std::vector<PickleId> items;
};
struct PickleTuple {
    std::vector<PickleId> items;
};
/// A dict or OrderedDict, in order of insertion. A key may occur more than once: the last value
/// counts.
struct PickleDict {
    std::vector<std::pair<PickleId, PickleId>> items;
};
/// A name that the pickle refers to: one of pickle_globals().
struct PickleGlobal {
    std::uint32_t index = 0;
};
/// The bytes of one or more tensors: the archive's member data/KEY, or the storage KEY of the older
/// format.
struct PickleStorage {
    std::string_view type;  ///< "FloatStorage", …, "UntypedStorage"
    std::string_view key;
    std::int64_t numel = 0;  ///< number of elements; for UntypedStorage, of bytes
    // The part that tensors use, in elements. It is the whole storage, except where an old release
    // of PyTorch saved a part of one.
    std::int64_t view_offset = 0;
    std::int64_t view_numel = 0;
};
/// How the values of a tensor follow from the stored ones, by the tensor's metadata.
enum class TensorBits : std::uint8_t {
    none,
    negative,   ///< they are the stored ones times -1
    conjugate,  ///< they are the conjugates of the stored ones
    unknown,
};
struct PickleTensor {
    PickleId storage = 0;
    TensorBits bits = TensorBits::none;
    std::string_view dtype;            ///< torch's name where the pickle has one, otherwise empty
    std::int64_t offset = 0;           ///< in elements
    std::vector<std::int64_t> shape;   ///< not negative
    std::vector<std::int64_t> stride;  ///< in elements, one for each extent, not negative
};
/// An argparse.Namespace as plain data.
struct PickleNamespace {
    PickleId state = 0;  ///< a dict; None before it is set
};
/// A value that a training checkpoint may have and that no model needs. Only its kind is kept.
struct PickleInert {
    std::string_view kind;   ///< "a device", "a set", "a sparse tensor", …
    bool is_tensor = false;  ///< a tensor of a kind that cannot be read
};

using PickleValue = std::variant<PickleNone, bool, std::int64_t, double, std::string_view,
                                 PickleBytes, PickleBigInt, PickleList, PickleTuple, PickleDict,
                                 PickleGlobal, std::unique_ptr<PickleStorage>,
                                 std::unique_ptr<PickleTensor>, PickleNamespace, PickleInert>;

/// All values of one pickle. They refer to one another by index, so shared and cyclic data need no
/// special code, and destruction does not recurse. Text is a view into the pickle's bytes.
class PickleTree {
  public:
    const PickleValue& root() const { return (*this)[root_]; }
    const PickleValue& operator[](PickleId id) const { return nodes_[id]; }
    /// The number of values. All ids are smaller.
    std::size_t size() const { return nodes_.size(); }
    /// The last value under a string key; nullptr where there is none.
    const PickleValue* find(const PickleDict& dict, std::string_view key) const;

  private:
    friend class PickleReader;
    std::deque<PickleValue> nodes_;
    PickleId root_ = 0;
};

/// "a mapping", "a tensor", …, for messages.
std::string_view kind_name(const PickleValue& value);

/// Reads a pickle of protocol 2 to 5. Accepts at most 64 MiB, 10 million opcodes and values nested
/// 200 deep. The tree may use three times the bytes read plus 24 MiB of memory. `bytes` must
/// outlive the tree. `where` names the pickle in messages. Throws Error(format) with the byte
/// offset, and Error(model) with the name of a global that checkpoints do not need.
PickleTree read_pickle(std::span<const std::byte> bytes, std::string_view where);
/// The same for a pickle that other bytes may follow. `size` becomes its length in bytes.
PickleTree read_pickle_at_start(std::span<const std::byte> bytes, std::string_view where,
                                std::size_t& size);

}  // namespace vit::inline internal
