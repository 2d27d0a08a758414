// Checkpoints of torch.save since PyTorch 1.6: a zip of data.pkl and one stored member per storage.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weights/model_file/tensor.h"
#include "weights/readers/pickle.h"
#include "weights/readers/zip_members.h"

namespace vit {

/// The archive's data tree and where its storages lie. Views into the archive's bytes.
struct TorchArchive {
    std::string where;  ///< the archive's name for messages
    PickleTree tree;
    std::map<std::string_view, std::span<const std::byte>> storages;  ///< by key
};

/// True when one of the members is the data.pkl of a torch archive.
bool is_torch_zip(std::span<const ZipMember> members);

/// Reads the structure; tensors are checked by checked_tensor(). Refused: compressed members,
/// big-endian archives, TorchScript. `where` names the archive in messages.
/// Throws Error(format), Error(model), Error(unsupported).
TorchArchive read_torch_zip(std::span<const ZipMember> members, std::string_view where);

/// A tensor found valid. Where its elements are not row-major in the file, `view.data` is empty
/// until materialise() has made a dense copy.
struct TorchTensor {
    TensorView view;
    std::span<const std::byte> strided;  ///< the storage from the tensor's first element on
    std::vector<std::int64_t> stride;    ///< empty when `view` is complete
    std::uint64_t dense_bytes = 0;
};

/// Checks element type, the storage's length and that the last element lies inside it. Copies
/// nothing. Throws Error(format), Error(unsupported), naming `name`.
TorchTensor checked_tensor(const TorchArchive& archive, const PickleTensor& tensor,
                           std::string_view name);

/// The dense copy of a tensor with strides.
std::vector<std::byte> materialise(const TorchTensor& tensor);

}  // namespace vit
