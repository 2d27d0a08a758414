#include "weights/readers/pickle_globals.h"

#include <algorithm>

namespace vit {

namespace {

using enum GlobalRole;

// Element types that the engine cannot read are listed too: what matters is whether a tensor that
// the model needs has one, and then the message names the tensor.
constexpr KnownGlobal known[] = {
    {"collections", "OrderedDict", ordered_dict},
    {"torch._utils", "_rebuild_tensor_v2", rebuild_tensor_v2},
    {"torch._utils", "_rebuild_tensor_v3", rebuild_tensor_v3},
    {"torch._utils", "_rebuild_parameter", rebuild_parameter},
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

}  // namespace vit
