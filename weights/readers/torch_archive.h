// A checkpoint of torch.save, of any container: the pickled tree and the storages that it names.
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

/// Contains views into the file's bytes and into `owned`.
struct TorchArchive {
    std::string where;  ///< the file's name, for messages
    PickleTree tree;
    std::map<std::string_view, ZipMember> storages;  ///< by key
    std::string_view storage_place;  ///< for messages, before a key: "member data/", "storage "
    bool big_endian = false;         ///< byte order of the storages' elements
    std::shared_ptr<std::deque<std::vector<std::byte>>> owned;  ///< inflated and copied bytes
};

/// A tensor that has passed all checks.
struct TorchTensor {
    TensorView view;  ///< without data
    const ZipMember* storage = nullptr;
    std::uint64_t first = 0;           ///< the byte of the storage at which the tensor begins
    std::vector<std::int64_t> stride;  ///< in elements
    std::uint64_t dense_bytes = 0;
    bool is_dense = false;  ///< in row-major order without gaps
    bool swapped = false;   ///< elements are big-endian
    bool negative = false;  ///< the values are the stored ones times -1
};

/// Size in bytes of one element of this storage class; nothing for an unknown class.
std::optional<std::uint64_t> storage_item_size(std::string_view storage_class);

/// Checks the element type and the storage's length, and that all elements are inside the storage.
/// Copies nothing. Throws Error(format), Error(unsupported) with `name`.
TorchTensor checked_tensor(const TorchArchive& archive, const PickleTensor& tensor,
                           std::string_view name);

/// True when the elements cannot be used directly from the storage.
inline bool needs_copy(const TorchTensor& tensor) {
    return !tensor.is_dense || tensor.swapped || tensor.negative;
}

/// A dense, little-endian copy of the tensor. `storage` is the inflated content of its storage.
/// Throws Error(memory).
std::vector<std::byte> materialise(const TorchTensor& tensor, std::span<const std::byte> storage);

}  // namespace vit::inline internal
