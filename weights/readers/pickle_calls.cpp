// What a checkpoint's pickle calls and refers to: storages, tensors, a few containers.
#include <fmt/format.h>

#include <memory>

#include "weights/readers/pickle_reader.h"

namespace vit {

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
    if (parts.size() == 6 && parts[5] != id_none) refuse("views of storages are not supported");
    auto storage = std::make_unique<PickleStorage>();
    charge(sizeof(PickleStorage) + heap_overhead);
    storage->type = type.name;
    storage->key = expect<std::string_view>(parts[2], "a storage's key");
    storage->numel = not_negative(parts[4], "a storage's size");
    push_new(std::move(storage));
}

PickleId PickleReader::tensor(const std::vector<PickleId>& arguments, bool with_dtype) {
    const std::size_t fewest = with_dtype ? 7 : 6;
    if (arguments.size() < fewest || arguments.size() > fewest + 1)
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
    return add(std::move(result), 0);
}

void PickleReader::call() {
    const PickleId arguments_id = pop();
    const KnownGlobal& callee = global_of(pop(), "a name to call");
    const auto& arguments = expect<PickleTuple>(arguments_id, "a tuple of arguments").items;
    switch (callee.role) {
        case GlobalRole::ordered_dict:
            if (!arguments.empty()) refuse("expected OrderedDict without arguments");
            return push_new(PickleDict{});
        case GlobalRole::rebuild_tensor_v2:
            return push(tensor(arguments, false));
        case GlobalRole::rebuild_tensor_v3:
            return push(tensor(arguments, true));
        case GlobalRole::rebuild_parameter:
            if (arguments.size() != 3) refuse("expected 3 arguments of a parameter");
            expect<std::unique_ptr<PickleTensor>>(arguments[0], "a tensor");
            return push(arguments[0]);
        case GlobalRole::torch_size:
            if (arguments.size() != 1) refuse("expected torch.Size with one argument");
            expect<PickleTuple>(arguments[0], "a tuple of sizes");
            return push(arguments[0]);
        case GlobalRole::argparse_namespace:
            if (!arguments.empty()) refuse("expected argparse.Namespace without arguments");
            return push_new(PickleNamespace{id_none});
        case GlobalRole::storage_class:
        case GlobalRole::dtype:
            break;
    }
    refuse(fmt::format("{}.{} is not called in a state dict", callee.module, callee.name));
}

/// Attributes: an OrderedDict's (`_metadata`) are dropped, a Namespace's are its content.
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

}  // namespace vit
