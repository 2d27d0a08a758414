#include "weights/readers/torch_zip.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "vit/error.h"
#include "weights/model_file/checked.h"
#include "weights/model_file/text.h"
#include "weights/readers/strided.h"

namespace vit {

namespace {

struct ElementType {
    std::string_view storage;  ///< class that holds it in torch
    std::string_view name;     ///< torch.NAME
    DType dtype;
};

constexpr ElementType element_types[] = {
    {"DoubleStorage", "float64", DType::f64}, {"FloatStorage", "float32", DType::f32},
    {"HalfStorage", "float16", DType::f16},   {"BFloat16Storage", "bfloat16", DType::bf16},
    {"LongStorage", "int64", DType::i64},     {"IntStorage", "int32", DType::i32},
    {"ShortStorage", "int16", DType::i16},    {"CharStorage", "int8", DType::i8},
    {"ByteStorage", "uint8", DType::u8},      {"BoolStorage", "bool", DType::boolean},
};

const ZipMember* find_pickle(std::span<const ZipMember> members) {
    const auto found = std::find_if(members.begin(), members.end(), [](const ZipMember& member) {
        return member.name == "data.pkl" ||
               (member.name.ends_with("/data.pkl") &&
                std::count(member.name.begin(), member.name.end(), '/') == 1);
    });
    return found == members.end() ? nullptr : &*found;
}

std::optional<DType> dtype_of(const PickleStorage& storage, const PickleTensor& tensor) {
    const bool untyped = storage.type == "UntypedStorage";
    for (const ElementType& type : element_types)
        if (untyped ? type.name == tensor.dtype
                    : type.storage == storage.type &&
                          (tensor.dtype.empty() || tensor.dtype == type.name))
            return type.dtype;
    return std::nullopt;
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
        pickle->name.substr(0, pickle->name.size() - std::string_view("data.pkl").size());
    TorchArchive archive{std::string(where), {}, {}};
    for (const ZipMember& member : members) {
        const auto refuse = [&](const std::string& what, ErrorKind kind = ErrorKind::format) {
            throw Error(kind,
                        fmt::format("{}: member {}: {}", where, in_quotes(member.name), what));
        };
        if (!member.name.starts_with(folder)) refuse("lies outside the folder of data.pkl");
        const std::string_view name = member.name.substr(folder.size());
        if (name == "constants.pkl" || name.starts_with("code/"))
            refuse(
                "is part of a TorchScript program, not of a checkpoint; save model.state_dict() "
                "with torch.save or as safetensors",
                ErrorKind::model);
        if (member.method != ZipMethod::stored)
            refuse(
                "is compressed, and torch stores members as they are; re-save the checkpoint with "
                "torch.save");
        if (name == "byteorder") {
            const std::string_view order(reinterpret_cast<const char*>(member.data.data()),
                                         member.data.size());
            if (order != "little")
                refuse(fmt::format("expected little, found {}; re-save the checkpoint on a "
                                   "little-endian machine",
                                   in_quotes(order)),
                       ErrorKind::unsupported);
        }
        if (name.starts_with("data/"))
            archive.storages.emplace(name.substr(std::string_view("data/").size()), member.data);
    }
    archive.tree =
        read_pickle(pickle->data, fmt::format("{}: member {}", where, in_quotes(pickle->name)));
    return archive;
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
    const std::uint64_t item = item_size(*dtype);
    const auto found = archive.storages.find(storage.key);
    if (found == archive.storages.end())
        refuse(fmt::format("its storage, member data/{}, is missing from the archive",
                           in_quotes(storage.key)));
    const std::span<const std::byte> bytes = found->second;
    const std::uint64_t storage_item = storage.type == "UntypedStorage" ? 1 : item;
    const std::uint64_t claimed =
        checked::mul(static_cast<std::uint64_t>(storage.numel), storage_item, what);
    if (claimed != bytes.size())
        refuse(fmt::format("its storage, member data/{}, should have {} bytes, found {}",
                           in_quotes(storage.key), claimed, bytes.size()));

    const std::uint64_t count = checked::product(tensor.shape, what);
    const std::uint64_t first = checked::mul(static_cast<std::uint64_t>(tensor.offset), item, what);
    const std::uint64_t reach =
        checked::mul(extent_of(tensor.shape, tensor.stride, what), item, what);
    if (checked::add(first, reach, what) > bytes.size())
        refuse(
            fmt::format("shape {} with strides {} from element {} reaches {} bytes into a storage "
                        "of {}",
                        to_string(tensor.shape), to_string(tensor.stride), tensor.offset,
                        checked::add(first, reach, what), bytes.size()));

    TorchTensor result;
    result.view = {std::string(name), *dtype, tensor.shape, {}};
    result.dense_bytes = checked::mul(count, item, what);
    const auto part = bytes.subspan(static_cast<std::size_t>(first));
    if (is_row_major(tensor.shape, tensor.stride)) {
        result.view.data = part.first(static_cast<std::size_t>(result.dense_bytes));
    } else {
        result.strided = part;
        result.stride = tensor.stride;
    }
    return result;
}

std::vector<std::byte> materialise(const TorchTensor& tensor) {
    std::vector<std::byte> dense(checked::to_size(tensor.dense_bytes, tensor.view.name));
    copy_row_major(tensor.view.shape, tensor.stride, item_size(tensor.view.dtype), tensor.strided,
                   dense);
    return dense;
}

}  // namespace vit
