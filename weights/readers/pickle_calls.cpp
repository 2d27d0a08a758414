// Handles the calls and names in a checkpoint's pickle: storages, tensors, a few containers.
#include <fmt/format.h>

#include <memory>

#include "weights/readers/pickle_reader.h"

namespace vit::inline internal {

void PickleReader::push_global(std::string_view module, std::string_view name) {
    const auto index = find_pickle_global(module, name);
    if (!index)
        refuse(fmt::format("the checkpoint refers to {}, which a state dict does not need and "
                           "which could run code; nothing was executed. If you trust the file, "
                           "load it in Python and save model.state_dict() as safetensors",
                           in_quotes(fmt::format("{}.{}", module, name))),
               ErrorKind::model);
    push_new(PickleGlobal{*index});
}

const KnownGlobal& PickleReader::global_of(PickleId id, std::string_view what) {
    const auto* global = std::get_if<PickleGlobal>(&node(id));
    if (global == nullptr) refuse(fmt::format("expected {}, found {}", what, kind_name(node(id))));
    return pickle_globals()[global->index];
}

std::int64_t PickleReader::not_negative(PickleId id, std::string_view what) {
    const std::int64_t value = expect<std::int64_t>(id, what);
    if (value < 0) refuse(fmt::format("expected {} of 0 or more, found {}", what, value));
    return value;
}

std::vector<std::int64_t> PickleReader::sizes(PickleId id, std::string_view what) {
    const auto& items = expect<PickleTuple>(id, "a tuple of sizes").items;
    if (items.size() > most_dims)
        refuse(fmt::format("expected a tensor of at most {} dimensions, found {}", most_dims,
                           items.size()));
    std::vector<std::int64_t> values;
    values.reserve(items.size());
    charge(items.size() * sizeof(std::int64_t) + heap_overhead);
    for (const PickleId item : items) values.push_back(not_negative(item, what));
    return values;
}

void PickleReader::persistent() {
    const auto& parts = expect<PickleTuple>(pop(), "a tuple that names a storage").items;
    if (parts.size() < 5 || parts.size() > 6 ||
        expect<std::string_view>(parts[0], "the word storage") != "storage")
        refuse("expected ('storage', class, key, location, size)");
    const KnownGlobal& type = global_of(parts[1], "a storage class");
    if (type.role != GlobalRole::storage_class)
        refuse(fmt::format("expected a storage class, found {}.{}", type.module, type.name));
    auto storage = std::make_unique<PickleStorage>();
    charge(sizeof(PickleStorage) + heap_overhead);
    storage->type = type.name;
    storage->key = expect<std::string_view>(parts[2], "a storage's key");
    storage->numel = not_negative(parts[4], "a storage's size");
    storage->view_numel = storage->numel;
    if (parts.size() == 6 && parts[5] != id_none) read_view(*storage, parts[5]);
    push_new(std::move(storage));
}

/// Reads (key, offset, size): a part of a storage. PyTorch before 1.0 saved shared storages so.
void PickleReader::read_view(PickleStorage& storage, PickleId id) {
    const auto& parts = expect<PickleTuple>(id, "a view of a storage").items;
    if (parts.size() != 3) refuse("expected (key, offset, size) of a view of a storage");
    storage.view_offset = not_negative(parts[1], "a view's offset");
    storage.view_numel = not_negative(parts[2], "a view's size");
    if (storage.view_offset > storage.numel ||
        storage.view_numel > storage.numel - storage.view_offset)
        refuse(fmt::format("a view of {} elements from element {} reaches beyond its storage of {}",
                           storage.view_numel, storage.view_offset, storage.numel));
}

PickleId PickleReader::tensor(GlobalRole role, const std::vector<PickleId>& arguments) {
    const bool with_dtype = role == GlobalRole::rebuild_tensor_v3;
    const bool oldest = role == GlobalRole::rebuild_tensor;
    const std::size_t fewest = oldest ? 4 : with_dtype ? 7 : 6;
    if (arguments.size() < fewest || arguments.size() > fewest + (oldest ? 0 : 1))
        refuse(
            fmt::format("expected {} arguments of a tensor, found {}", fewest, arguments.size()));
    auto result = std::make_unique<PickleTensor>();
    charge(sizeof(PickleTensor) + heap_overhead);
    expect<std::unique_ptr<PickleStorage>>(arguments[0], "a storage");
    result->storage = arguments[0];
    result->offset = not_negative(arguments[1], "a storage offset");
    result->shape = sizes(arguments[2], "a size");
    result->stride = sizes(arguments[3], "a stride");
    if (result->shape.size() != result->stride.size())
        refuse(fmt::format("expected as many strides as sizes ({}), found {}", result->shape.size(),
                           result->stride.size()));
    if (with_dtype) {
        const KnownGlobal& dtype = global_of(arguments[6], "an element type");
        if (dtype.role != GlobalRole::dtype)
            refuse(fmt::format("expected an element type, found {}.{}", dtype.module, dtype.name));
        result->dtype = dtype.name;
    }
    if (arguments.size() > fewest) read_metadata(*result, arguments[fewest]);
    return add(std::move(result), 0);
}

/// Reads bits that change the meaning of the stored values, such as {'neg': True}.
void PickleReader::read_metadata(PickleTensor& tensor, PickleId id) {
    if (id == id_none) return;
    for (const auto& [key, value] : expect<PickleDict>(id, "a tensor's metadata").items) {
        const std::string_view name = expect<std::string_view>(key, "a name in metadata");
        const bool* set = std::get_if<bool>(&node(value));
        TensorBits bits = TensorBits::unknown;
        if (set != nullptr && name == "neg") bits = TensorBits::negative;
        if (set != nullptr && name == "conj") bits = TensorBits::conjugate;
        if (bits != TensorBits::unknown && !*set) continue;
        // Two bits at once are not supported. The imaginary part of a conjugate has both, for
        // example.
        tensor.bits = tensor.bits == TensorBits::none ? bits : TensorBits::unknown;
    }
}

/// Builds an OrderedDict. Python 2 passes its items as an argument.
PickleId PickleReader::ordered_dict(const std::vector<PickleId>& arguments) {
    if (arguments.size() > 1) refuse("expected OrderedDict with one argument at most");
    const PickleId dict = add(PickleDict{}, 0);
    if (arguments.empty()) return dict;
    for (const PickleId item : expect<PickleList>(arguments[0], "a list of items").items) {
        const auto& pair = expect<PickleList>(item, "a list of key and value").items;
        if (pair.size() != 2) refuse("expected pairs of key and value");
        set_items(dict, pair);
    }
    return dict;
}

/// Builds the mapping of Counter(mapping) or defaultdict(factory).
PickleId PickleReader::other_dict(const KnownGlobal& callee,
                                  const std::vector<PickleId>& arguments) {
    if (arguments.size() > 1)
        refuse(fmt::format("expected {} with one argument at most", callee.name));
    if (arguments.empty() || callee.name != "Counter") {
        if (!arguments.empty() && arguments[0] != id_none)
            global_of(arguments[0], "what a defaultdict is made with");
        return add(PickleDict{}, 0);
    }
    expect<PickleDict>(arguments[0], "a mapping of counts");
    return arguments[0];
}

/// Builds a tensor from (function, class, the function's arguments, attributes). Drops the
/// attributes.
PickleId PickleReader::tensor_of_type(const std::vector<PickleId>& arguments) {
    if (arguments.size() != 4) refuse("expected 4 arguments of a tensor with attributes");
    const KnownGlobal& type = global_of(arguments[1], "a tensor's class");
    if (type.role != GlobalRole::tensor_class)
        refuse(fmt::format("expected a tensor's class, found {}.{}", type.module, type.name));
    const KnownGlobal& function = global_of(arguments[0], "a function that makes a tensor");
    if (function.role == GlobalRole::rebuild_from_type_v2)
        refuse("a tensor with attributes inside of another is not supported");
    return apply(function, expect<PickleTuple>(arguments[2], "a tuple of arguments").items);
}

PickleId PickleReader::apply(const KnownGlobal& callee, const std::vector<PickleId>& arguments) {
    switch (callee.role) {
        case GlobalRole::ordered_dict:
            return ordered_dict(arguments);
        case GlobalRole::other_dict:
            return other_dict(callee, arguments);
        case GlobalRole::rebuild_tensor:
        case GlobalRole::rebuild_tensor_v2:
        case GlobalRole::rebuild_tensor_v3:
            return tensor(callee.role, arguments);
        case GlobalRole::rebuild_parameter:
        case GlobalRole::rebuild_parameter_with_state: {  // attributes are dropped
            const std::size_t count = callee.role == GlobalRole::rebuild_parameter ? 3 : 4;
            if (arguments.size() != count)
                refuse(fmt::format("expected {} arguments of a parameter", count));
            if (!std::holds_alternative<PickleInert>(node(arguments[0])))
                expect<std::unique_ptr<PickleTensor>>(arguments[0], "a tensor");
            return arguments[0];
        }
        case GlobalRole::rebuild_from_type_v2:
            return tensor_of_type(arguments);
        case GlobalRole::torch_size:
            if (arguments.size() != 1) refuse("expected torch.Size with one argument");
            expect<PickleTuple>(arguments[0], "a tuple of sizes");
            return arguments[0];
        case GlobalRole::argparse_namespace:
            if (!arguments.empty()) refuse("expected argparse.Namespace without arguments");
            return add(PickleNamespace{id_none}, 0);
        case GlobalRole::inert_call:
        case GlobalRole::inert_tensor:
            return add(PickleInert{callee.kind, callee.role == GlobalRole::inert_tensor}, 0);
        case GlobalRole::storage_class:
        case GlobalRole::dtype:
        case GlobalRole::tensor_class:
        case GlobalRole::inert_name:
            break;
    }
    refuse(fmt::format("{}.{} is not called in a state dict", callee.module, callee.name));
}

void PickleReader::call() {
    const PickleId arguments = pop();
    const KnownGlobal& callee = global_of(pop(), "a name to call");
    push(apply(callee, expect<PickleTuple>(arguments, "a tuple of arguments").items));
}

/// Sets attributes. Those of an OrderedDict (`_metadata`) are dropped. Those of a Namespace are its
/// content.
void PickleReader::build() {
    const PickleId state = pop();
    const PickleId object = top();
    expect<PickleDict>(state, "a mapping of attributes");
    if (auto* space = std::get_if<PickleNamespace>(&node(object))) {
        deepen(object, state);
        space->state = state;
    } else if (!std::holds_alternative<PickleDict>(node(object))) {
        refuse(fmt::format("attributes of {} are not supported", kind_name(node(object))));
    }
}

}  // namespace vit::inline internal
