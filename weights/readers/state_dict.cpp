#include "weights/readers/state_dict.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_set>
#include <utility>

#include "vit/error.h"
#include "weights/model_file/checked.h"
#include "weights/model_file/text.h"
#include "weights/readers/member_bytes.h"

namespace vit {

namespace {

constexpr std::size_t most_tensors = 65'536;
constexpr std::size_t most_listed = 20;
// Copies of tensors that are views with strides: more than the file holds is a bomb (stride 0).
constexpr std::uint64_t spare_copies = std::uint64_t{16} << 20;

const PickleValue* find_set(const PickleTree& tree, const PickleDict& dict, std::string_view key) {
    const PickleValue* value = tree.find(dict, key);
    return value == nullptr || std::holds_alternative<PickleNone>(*value) ? nullptr : value;
}

struct Weights {
    const PickleDict* dict = nullptr;
    std::string_view key;  ///< empty: the checkpoint's top mapping
};

Weights find_weights(const TorchArchive& archive, const PickleDict& top, EmaChoice ema,
                     std::vector<std::string>& notes) {
    const auto mapping = [&](std::string_view key, const PickleValue& value) {
        const auto* dict = std::get_if<PickleDict>(&value);
        if (dict == nullptr)
            throw Error(ErrorKind::model,
                        fmt::format("{}: expected a mapping of weights under {}, found {}",
                                    archive.where, in_quotes(key), kind_name(value)));
        return Weights{dict, key};
    };
    Weights averaged;
    for (const std::string_view key : {"state_dict_ema", "model_ema"})
        if (const PickleValue* value = find_set(archive.tree, top, key);
            averaged.dict == nullptr && value != nullptr)
            averaged = mapping(key, *value);
    Weights plain{&top, {}};
    for (const std::string_view key : {"state_dict", "model"})
        if (const PickleValue* value = find_set(archive.tree, top, key);
            plain.key.empty() && value != nullptr)
            plain = mapping(key, *value);

    // Facebook's DINO and DINOv2: the teacher is the student's moving average.
    if (averaged.dict == nullptr && plain.key.empty()) {
        if (const PickleValue* value = find_set(archive.tree, top, "teacher"))
            averaged = mapping("teacher", *value);
        if (const PickleValue* value = find_set(archive.tree, top, "student"))
            plain = mapping("student", *value);
    }

    if (ema == EmaChoice::ema && averaged.dict == nullptr)
        throw Error(ErrorKind::model,
                    fmt::format("{}: EMA weights were asked for, but the checkpoint has none of "
                                "state_dict_ema, model_ema and teacher",
                                archive.where));
    const bool take_averaged = averaged.dict != nullptr && ema != EmaChoice::no_ema;
    const Weights taken = take_averaged ? averaged : plain;
    const Weights other = take_averaged ? plain : averaged;
    if (!taken.key.empty())
        notes.push_back(fmt::format("took the {}weights under {}", take_averaged ? "EMA " : "",
                                    in_quotes(taken.key)));
    if (other.dict != nullptr && !other.key.empty())
        notes.push_back(fmt::format("did not take the {}weights under {}",
                                    take_averaged ? "" : "EMA ", in_quotes(other.key)));
    return taken;
}

std::string key_text(const PickleValue& key) {
    if (const auto* text = std::get_if<std::string_view>(&key)) return in_quotes(*text);
    if (const auto* number = std::get_if<std::int64_t>(&key)) return std::to_string(*number);
    return fmt::format("an entry whose key is {}", kind_name(key));
}

/// "a mapping with 2 tensors": what a nested mapping would take with it.
std::string value_text(const PickleTree& tree, const PickleValue& value) {
    const auto* dict = std::get_if<PickleDict>(&value);
    if (dict == nullptr) return std::string(kind_name(value));
    const auto tensors =
        std::count_if(dict->items.begin(), dict->items.end(), [&](const auto& item) {
            return std::holds_alternative<std::unique_ptr<PickleTensor>>(tree[item.second]);
        });
    if (tensors == 0) return std::string(kind_name(value));
    return fmt::format("{} with {} tensor{}", kind_name(value), tensors, tensors == 1 ? "" : "s");
}

/// One note per entry that is no weight, up to a number of them.
class Listed {
  public:
    Listed(std::vector<std::string>& notes, std::string_view verb) : notes_(notes), verb_(verb) {}
    Listed(const Listed&) = delete;
    Listed& operator=(const Listed&) = delete;
    void add(const std::string& note) {
        if (++count_ <= most_listed) notes_.push_back(fmt::format("{} {}", verb_, note));
    }
    void finish() {
        if (count_ > most_listed)
            notes_.push_back(
                fmt::format("{} {} more entries of this kind", verb_, count_ - most_listed));
    }

  private:
    std::vector<std::string>& notes_;
    std::string_view verb_;
    std::size_t count_ = 0;
};

/// Python would take the later of two values; which one was meant nobody knows.
void refuse_doubles(const TorchArchive& archive, const PickleDict& dict) {
    std::unordered_set<std::string_view> names;
    for (const auto& [key, value] : dict.items) {
        const auto* name = std::get_if<std::string_view>(&archive.tree[key]);
        if (name == nullptr || names.insert(*name).second) continue;
        const bool is_tensor =
            std::holds_alternative<std::unique_ptr<PickleTensor>>(archive.tree[value]);
        throw Error(ErrorKind::model,
                    fmt::format("{}: two {} are named {}", archive.where,
                                is_tensor ? "tensors" : "entries", in_quotes(*name)));
    }
}

/// A weight of a kind that cannot be read: it must not be missing without a word.
void refuse_inert(const TorchArchive& archive, std::string_view name, const PickleValue& value) {
    const auto* inert = std::get_if<PickleInert>(&value);
    if (inert != nullptr && inert->is_tensor)
        throw Error(ErrorKind::unsupported,
                    fmt::format("{}: tensor {}: expected a dense tensor, found {}; save it as a "
                                "dense float32 tensor",
                                archive.where, in_quotes(name), inert->kind));
}

std::optional<std::string> find_arch(const PickleTree& tree, const PickleDict& top) {
    const auto text = [](const PickleValue* value) -> std::optional<std::string> {
        const auto* found = value == nullptr ? nullptr : std::get_if<std::string_view>(value);
        if (found == nullptr) return std::nullopt;
        return std::string(*found);
    };
    if (auto arch = text(tree.find(top, "arch"))) return arch;
    const PickleValue* args = tree.find(top, "args");
    if (args == nullptr) return std::nullopt;
    if (const auto* space = std::get_if<PickleNamespace>(args)) args = &tree[space->state];
    const auto* dict = std::get_if<PickleDict>(args);
    return dict == nullptr ? std::nullopt : text(tree.find(*dict, "model"));
}

std::string first_keys(const PickleTree& tree, const PickleDict& dict) {
    std::string text;
    const std::size_t shown = std::min<std::size_t>(dict.items.size(), 8);
    for (std::size_t i = 0; i < shown; ++i)
        text += (i == 0 ? "" : ", ") + key_text(tree[dict.items[i].first]);
    if (dict.items.size() > shown) text += ", …";
    return text.empty() ? "no entries" : text;
}

/// Copies what is not dense in the file, once all tensors have been found valid.
void complete(const TorchArchive& archive, std::vector<TorchTensor>& found,
              Checkpoint& checkpoint) {
    const std::string& where = archive.where;
    std::uint64_t copies = 0;
    std::uint64_t sources = 0;
    for (const TorchTensor& tensor : found) {
        if (!needs_copy(tensor)) continue;
        const std::uint64_t source = tensor.storage->size - tensor.first;
        copies = checked::add(copies, tensor.dense_bytes, where);
        sources = checked::add(sources, source, where);
        if (copies > checked::add(sources, spare_copies, where))
            throw Error(ErrorKind::model,
                        fmt::format("{}: tensor {}: shape {} with strides {} repeats a storage of "
                                    "{} bytes {} times over; save tensor.contiguous() only where "
                                    "that is meant",
                                    where, in_quotes(tensor.view.name),
                                    to_string(tensor.view.shape), to_string(tensor.stride), source,
                                    tensor.dense_bytes / std::max<std::uint64_t>(source, 1)));
    }
    std::map<const ZipMember*, std::span<const std::byte>> read;  // each is verified once
    std::size_t strided = 0, negative = 0, swapped = 0;
    for (TorchTensor& tensor : found) {
        const auto [place, is_new] = read.try_emplace(tensor.storage);
        if (is_new) place->second = member_bytes(*tensor.storage, where, *archive.owned);
        tensor.view.data =
            needs_copy(tensor)
                ? archive.owned->emplace_back(materialise(tensor, place->second))
                : place->second.subspan(static_cast<std::size_t>(tensor.first),
                                        static_cast<std::size_t>(tensor.dense_bytes));
        strided += tensor.is_dense ? 0 : 1;
        negative += tensor.negative ? 1 : 0;
        swapped += tensor.swapped ? 1 : 0;
        checkpoint.tensors.push_back(std::move(tensor.view));
    }
    const auto note = [&](std::size_t count, std::string_view what) {
        if (count != 0)
            checkpoint.notes.push_back(fmt::format("copied {} tensors {}", count, what));
    };
    note(strided, "whose elements are not in row-major order");
    note(negative, "with PyTorch's negative bit, and turned their signs");
    note(swapped, "whose elements are big-endian");
    checkpoint.storage = archive.owned;
}

/// timm's clean_state_dict: a model compiled inside or outside of its parallel wrapper.
std::string_view stripped(std::string_view name) {
    for (const std::string_view prefix : {"_orig_mod.", "module.", "_orig_mod."})
        if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
    return name;
}

}  // namespace

void take_state_dict(const TorchArchive& archive, EmaChoice ema, Checkpoint& checkpoint) {
    const PickleTree& tree = archive.tree;
    const auto* top = std::get_if<PickleDict>(&tree.root());
    if (top == nullptr)
        throw Error(ErrorKind::model,
                    fmt::format("{}: expected a mapping of names to tensors, found {}; save "
                                "model.state_dict()",
                                archive.where, kind_name(tree.root())));
    const Weights weights = find_weights(archive, *top, ema, checkpoint.notes);
    checkpoint.arch = find_arch(tree, *top);

    refuse_doubles(archive, *top);
    if (weights.dict != top) refuse_doubles(archive, *weights.dict);
    Listed left_out(checkpoint.notes, "left out");
    if (weights.dict != top) {
        for (const auto& [key, value] : top->items) {
            const auto* text = std::get_if<std::string_view>(&tree[key]);
            const bool is_weights =
                text != nullptr &&
                (*text == "state_dict_ema" || *text == "model_ema" || *text == "state_dict" ||
                 *text == "model" || *text == "teacher" || *text == "student");
            if (!is_weights)
                left_out.add(fmt::format("{} ({}): it stands beside the weights",
                                         key_text(tree[key]), kind_name(tree[value])));
        }
    }
    left_out.finish();
    std::vector<TorchTensor> found;
    Listed not_used(checkpoint.notes, "did not use");
    for (const auto& [key, value] : weights.dict->items) {
        const auto* name = std::get_if<std::string_view>(&tree[key]);
        const auto* tensor = std::get_if<std::unique_ptr<PickleTensor>>(&tree[value]);
        if (name == nullptr || tensor == nullptr) {
            if (name != nullptr) refuse_inert(archive, *name, tree[value]);
            not_used.add(fmt::format("{} ({}): it is not a named tensor", key_text(tree[key]),
                                     value_text(tree, tree[value])));
            continue;
        }
        if (found.size() == most_tensors)
            throw Error(ErrorKind::model, fmt::format("{}: expected at most {} tensors, found more",
                                                      archive.where, most_tensors));
        found.push_back(checked_tensor(archive, **tensor, *name));
    }
    not_used.finish();
    if (found.empty())
        throw Error(ErrorKind::model,
                    fmt::format("{}: expected named tensors {}, found {}", archive.where,
                                weights.key.empty() ? std::string("at the top of the checkpoint")
                                                    : "under " + in_quotes(weights.key),
                                first_keys(tree, *weights.dict)));
    complete(archive, found, checkpoint);
}

void clean_names(Checkpoint& checkpoint, std::string_view where) {
    std::size_t changed = 0;
    for (TensorView& tensor : checkpoint.tensors) {
        if (!is_utf8(tensor.name))
            throw Error(ErrorKind::model, fmt::format("{}: tensor {}: expected a name in UTF-8",
                                                      where, in_quotes(tensor.name)));
        const std::string_view name = stripped(tensor.name);
        if (name.size() == tensor.name.size()) continue;
        tensor.name = std::string(name);
        ++changed;
    }
    if (changed != 0)
        checkpoint.notes.push_back(
            fmt::format("stripped the prefixes module. and _orig_mod. from {} names", changed));
    std::unordered_set<std::string_view> names;
    for (const TensorView& tensor : checkpoint.tensors)
        if (!names.insert(tensor.name).second)
            throw Error(ErrorKind::model,
                        fmt::format("{}: two tensors are named {}{}", where, in_quotes(tensor.name),
                                    changed == 0 ? ""
                                                 : " once module. and _orig_mod. are "
                                                   "stripped"));
}

}  // namespace vit
