#include "weights/readers/pickle_globals.h"

#include <algorithm>

namespace vit::inline internal {

namespace {

using enum GlobalRole;

// Also lists element types that the engine cannot read. They matter only where a tensor among the
// weights has one, and then the message names that tensor.
constexpr KnownGlobal known[] = {
    {"collections", "OrderedDict", ordered_dict},
    {"torch._utils", "_rebuild_tensor", rebuild_tensor},
    {"torch._utils", "_rebuild_tensor_v2", rebuild_tensor_v2},
    {"torch._utils", "_rebuild_tensor_v3", rebuild_tensor_v3},
    {"torch._utils", "_rebuild_parameter", rebuild_parameter},
    {"torch._utils", "_rebuild_parameter_with_state", rebuild_parameter_with_state},
    {"torch._tensor", "_rebuild_from_type_v2", rebuild_from_type_v2},
    {"torch", "Tensor", tensor_class},
    {"torch.nn.parameter", "Parameter", tensor_class},
    {"torch", "Size", torch_size},
    {"argparse", "Namespace", argparse_namespace},
    {"torch", "DoubleStorage", storage_class},
    {"torch", "FloatStorage", storage_class},
    {"torch", "HalfStorage", storage_class},
    {"torch", "BFloat16Storage", storage_class},
    {"torch", "LongStorage", storage_class},
    {"torch", "IntStorage", storage_class},
    {"torch", "ShortStorage", storage_class},
    {"torch", "CharStorage", storage_class},
    {"torch", "ByteStorage", storage_class},
    {"torch", "BoolStorage", storage_class},
    {"torch", "ComplexFloatStorage", storage_class},
    {"torch", "ComplexDoubleStorage", storage_class},
    {"torch.storage", "UntypedStorage", storage_class},
    {"torch", "QInt8Storage", storage_class},
    {"torch", "QUInt8Storage", storage_class},
    {"torch", "QInt32Storage", storage_class},
    {"torch", "QUInt4x2Storage", storage_class},
    {"torch", "QUInt2x4Storage", storage_class},
    {"torch", "float64", dtype},
    {"torch", "float32", dtype},
    {"torch", "float16", dtype},
    {"torch", "bfloat16", dtype},
    {"torch", "int64", dtype},
    {"torch", "int32", dtype},
    {"torch", "int16", dtype},
    {"torch", "int8", dtype},
    {"torch", "uint8", dtype},
    {"torch", "bool", dtype},
    {"torch", "uint16", dtype},
    {"torch", "uint32", dtype},
    {"torch", "uint64", dtype},
    {"torch", "complex64", dtype},
    {"torch", "complex128", dtype},
    {"torch", "float8_e4m3fn", dtype},
    {"torch", "float8_e4m3fnuz", dtype},
    {"torch", "float8_e5m2", dtype},
    {"torch", "float8_e5m2fnuz", dtype},
    {"torch", "float8_e8m0fnu", dtype},
    {"torch", "qint8", dtype},
    {"torch", "quint8", dtype},
    {"torch", "qint32", dtype},
    {"torch", "quint4x2", dtype},
    {"torch", "quint2x4", dtype},
    // Names that training checkpoints use beside the weights: in optimizers, schedulers, samplers.
    {"collections", "Counter", other_dict},
    {"collections", "defaultdict", other_dict},
    {"torch", "device", inert_call, "a device"},
    {"torch.serialization", "_get_layout", inert_call, "a layout"},
    {"_codecs", "encode", inert_call, "bytes"},
    {"__builtin__", "bytearray", inert_call, "bytes"},
    {"builtins", "bytearray", inert_call, "bytes"},
    {"__builtin__", "set", inert_call, "a set"},
    {"builtins", "set", inert_call, "a set"},
    {"__builtin__", "frozenset", inert_call, "a set"},
    {"builtins", "frozenset", inert_call, "a set"},
    {"__builtin__", "complex", inert_call, "a complex number"},
    {"builtins", "complex", inert_call, "a complex number"},
    {"torch._utils", "_rebuild_sparse_tensor", inert_tensor, "a sparse tensor"},
    {"torch._utils", "_rebuild_qtensor", inert_tensor, "a quantised tensor"},
    {"torch._utils", "_rebuild_nested_tensor", inert_tensor, "a nested tensor"},
    {"torch._utils", "_rebuild_meta_tensor_no_storage", inert_tensor, "a tensor without values"},
    {"torch._utils", "_rebuild_device_tensor_from_numpy", inert_tensor, "a tensor of a device"},
    {"torch._utils", "_rebuild_device_tensor_from_cpu_tensor", inert_tensor,
     "a tensor of a device"},
    {"torch", "per_tensor_affine", inert_name},
    {"torch", "per_tensor_symmetric", inert_name},
    {"torch", "per_channel_affine", inert_name},
    {"torch", "per_channel_symmetric", inert_name},
    {"torch", "per_channel_affine_float_qparams", inert_name},
    // Factories of a defaultdict.
    {"__builtin__", "int", inert_name},
    {"__builtin__", "long", inert_name},
    {"__builtin__", "float", inert_name},
    {"__builtin__", "list", inert_name},
    {"__builtin__", "dict", inert_name},
    {"__builtin__", "bool", inert_name},
    {"__builtin__", "unicode", inert_name},
    {"builtins", "int", inert_name},
    {"builtins", "float", inert_name},
    {"builtins", "list", inert_name},
    {"builtins", "dict", inert_name},
    {"builtins", "bool", inert_name},
    {"builtins", "str", inert_name},
};

}  // namespace

std::span<const KnownGlobal> pickle_globals() noexcept {
    return known;
}

std::optional<std::uint32_t> find_pickle_global(std::string_view module, std::string_view name) {
    const auto found = std::find_if(
        std::begin(known), std::end(known),
        [&](const KnownGlobal& global) { return global.module == module && global.name == name; });
    if (found == std::end(known)) return std::nullopt;
    return static_cast<std::uint32_t>(found - std::begin(known));
}

}  // namespace vit::inline internal
