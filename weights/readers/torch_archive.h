// A checkpoint of torch.save, whatever its container: the pickled tree and the storages it names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/tensor.h"
#include "weights/readers/pickle.h"
#include "weights/readers/zip_members.h"

namespace vit::inline internal {

/// Views into the file's bytes, and into `owned`.
struct TorchArchive {
    std::string where;  ///< the file's name for messages
    PickleTree tree;
    std::map<std::string_view, ZipMember> storages;  ///< by key
    std::string_view storage_place;  ///< for messages, before a key: "member data/", "storage "
    bool big_endian = false;         ///< the bytes of the storages' elements
    std::shared_ptr<std::deque<std::vector<std::byte>>> owned;  ///< what had to be inflated
};

/// A tensor found valid.
struct TorchTensor {
    TensorView view;  ///< without data
    const ZipMember* storage = nullptr;
    std::uint64_t first = 0;           ///< byte of the storage where the tensor begins
    std::vector<std::int64_t> stride;  ///< in elements
    std::uint64_t dense_bytes = 0;
    bool is_dense = false;  ///< row-major; nothing need be copied but for the next two
    bool swapped = false;   ///< elements are big-endian
    bool negative = false;  ///< values are those stored times -1
};

/// Bytes of one element of this storage class; nothing for a class that is not known.
std::optional<std::uint64_t> storage_item_size(std::string_view storage_class);

/// Checks element type, the storage's length and that the last element lies inside it. Copies
/// nothing. Throws Error(format), Error(unsupported), naming `name`.
TorchTensor checked_tensor(const TorchArchive& archive, const PickleTensor& tensor,
                           std::string_view name);

/// True when the elements cannot be used as they lie in the storage.
inline bool needs_copy(const TorchTensor& tensor) {
    return !tensor.is_dense || tensor.swapped || tensor.negative;
}

/// The dense little-endian copy of a tensor, from its storage's bytes.
std::vector<std::byte> materialise(const TorchTensor& tensor, std::span<const std::byte> storage);

}  // namespace vit::inline internal
