#include "weights/readers/torch_archive.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/base/checked.h"
#include "engine/base/text.h"
#include "vit/error.h"
#include "weights/readers/strided.h"

namespace vit::inline internal {

namespace {

struct ElementType {
    std::string_view storage;  ///< torch's class for storages of it
    std::string_view name;     ///< torch.NAME
    std::uint64_t size;
    std::optional<DType> dtype;  ///< nothing where the reader does not support it
};

constexpr ElementType element_types[] = {
    {"DoubleStorage", "float64", 8, DType::f64},
    {"FloatStorage", "float32", 4, DType::f32},
    {"HalfStorage", "float16", 2, DType::f16},
    {"BFloat16Storage", "bfloat16", 2, DType::bf16},
    {"LongStorage", "int64", 8, DType::i64},
    {"IntStorage", "int32", 4, DType::i32},
    {"ShortStorage", "int16", 2, DType::i16},
    {"CharStorage", "int8", 1, DType::i8},
    {"ByteStorage", "uint8", 1, DType::u8},
    {"BoolStorage", "bool", 1, DType::boolean},
    {"ComplexFloatStorage", "complex64", 8, {}},
    {"ComplexDoubleStorage", "complex128", 16, {}},
    {"QInt8Storage", "qint8", 1, {}},
    {"QUInt8Storage", "quint8", 1, {}},
    {"QInt32Storage", "qint32", 4, {}},
    {"QUInt4x2Storage", "quint4x2", 1, {}},
    {"QUInt2x4Storage", "quint2x4", 1, {}},
};
constexpr std::string_view untyped = "UntypedStorage";
constexpr std::string_view bit_names[] = {"nothing", "PyTorch's negative bit",
                                          "PyTorch's conjugate bit", "metadata"};

std::optional<DType> dtype_of(const PickleStorage& storage, const PickleTensor& tensor) {
    for (const ElementType& type : element_types)
        if (storage.type == untyped ? type.name == tensor.dtype
                                    : type.storage == storage.type &&
                                          (tensor.dtype.empty() || tensor.dtype == type.name))
            return type.dtype;
    return std::nullopt;
}

bool is_floating(DType dtype) {
    return dtype == DType::f64 || dtype == DType::f32 || dtype == DType::f16 ||
           dtype == DType::bf16;
}

void flip_signs(std::vector<std::byte>& data, std::size_t item) {
    for (std::size_t at = item; at <= data.size(); at += item) data[at - 1] ^= std::byte{0x80};
}

}  // namespace

std::optional<std::uint64_t> storage_item_size(std::string_view storage_class) {
    if (storage_class == untyped) return 1;
    for (const ElementType& type : element_types)
        if (type.storage == storage_class) return type.size;
    return std::nullopt;
}

TorchTensor checked_tensor(const TorchArchive& archive, const PickleTensor& tensor,
                           std::string_view name) {
    const std::string what = fmt::format("{}: tensor {}", archive.where, in_quotes(name));
    const auto refuse = [&](const std::string& text, ErrorKind kind = ErrorKind::format) {
        throw Error(kind, fmt::format("{}: {}", what, text));
    };
    const auto& storage = *std::get<std::unique_ptr<PickleStorage>>(archive.tree[tensor.storage]);
    const auto dtype = dtype_of(storage, tensor);
    if (!dtype)
        refuse(fmt::format("elements of type {} are not supported; convert the tensor to float32",
                           tensor.dtype.empty() ? storage.type : tensor.dtype),
               ErrorKind::unsupported);
    const bool negative = tensor.bits == TensorBits::negative;
    if (tensor.bits > TensorBits::negative || (negative && !is_floating(*dtype)))
        refuse(fmt::format("saved with {}, which changes its values and is not supported here; "
                           "save tensor.resolve_conj().resolve_neg()",
                           bit_names[static_cast<std::size_t>(tensor.bits)]),
               ErrorKind::unsupported);
    const bool is_untyped = storage.type == untyped;
    const std::uint64_t item = item_size(*dtype);
    if (archive.big_endian && is_untyped && item > 1)
        refuse(
            "big-endian elements in a storage without type are not supported; re-save the "
            "checkpoint on a little-endian machine",
            ErrorKind::unsupported);
    const auto found = archive.storages.find(storage.key);
    const auto place = [&] {
        return fmt::format("its storage, {}{},", archive.storage_place, in_quotes(storage.key));
    };
    if (found == archive.storages.end()) refuse(place() + " is missing from the archive");
    const std::uint64_t storage_item = is_untyped ? 1 : item;
    const auto storage_bytes = [&](std::int64_t count) {
        return checked::mul(static_cast<std::uint64_t>(count), storage_item, what);
    };
    if (storage_bytes(storage.numel) != found->second.size)
        refuse(fmt::format("{} should have {} bytes, found {}", place(),
                           storage_bytes(storage.numel), found->second.size));

    const std::uint64_t view_bytes = storage_bytes(storage.view_numel);
    const std::uint64_t count = checked::product(tensor.shape, what);
    const std::uint64_t first = checked::mul(static_cast<std::uint64_t>(tensor.offset), item, what);
    const std::uint64_t reach = checked::add(
        first, checked::mul(extent_of(tensor.shape, tensor.stride, what), item, what), what);
    if (reach > view_bytes)
        refuse(fmt::format(
            "shape {} with strides {} from element {} reaches {} bytes into a storage "
            "of {}",
            to_string(tensor.shape), to_string(tensor.stride), tensor.offset, reach, view_bytes));

    TorchTensor result;
    result.view = {std::string(name), *dtype, tensor.shape, {}};
    result.storage = &found->second;
    result.first = storage_bytes(storage.view_offset) + first;
    result.stride = tensor.stride;
    result.dense_bytes = checked::mul(count, item, what);
    result.is_dense = is_row_major(tensor.shape, tensor.stride);
    result.swapped = archive.big_endian && item > 1;
    result.negative = negative;
    return result;
}

std::vector<std::byte> materialise(const TorchTensor& tensor, std::span<const std::byte> storage) {
    const std::size_t item = item_size(tensor.view.dtype);
    const auto from = storage.subspan(static_cast<std::size_t>(tensor.first));
    std::vector<std::byte> dense =
        checked::bytes(tensor.dense_bytes, "tensor " + in_quotes(tensor.view.name));
    if (tensor.is_dense)
        std::copy_n(from.begin(), dense.size(), dense.begin());
    else
        copy_row_major(tensor.view.shape, tensor.stride, item, from, dense);
    if (tensor.swapped) swap_bytes(dense, item);
    if (tensor.negative) flip_signs(dense, item);
    return dense;
}

}  // namespace vit::inline internal
