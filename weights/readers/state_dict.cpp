#include "weights/readers/state_dict.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <unordered_set>
#include <utility>

#include "engine/base/checked.h"
#include "engine/base/text.h"
#include "vit/error.h"
#include "weights/readers/member_bytes.h"

namespace vit::inline internal {

namespace {

constexpr std::size_t most_tensors = 65'536;
constexpr std::size_t most_listed = 20;
// Limits for entries that are not tensors: their names are copied, and there may be millions of
// long names.
constexpr std::size_t most_others = 1000;
constexpr std::size_t longest_other = 200;
// Tensors that need a copy may together need this many bytes more than their storages have. A
// stride of 0 could otherwise make a small file use any amount of memory.
constexpr std::uint64_t spare_copies = std::uint64_t{16} << 20;

// In timm's order. PyTorch's tutorials write model_state_dict.
constexpr std::array<std::string_view, 2> averaged_keys{"state_dict_ema", "model_ema"};
constexpr std::array<std::string_view, 3> plain_keys{"state_dict", "model", "model_state_dict"};

bool is_one_of(std::span<const std::string_view> keys, std::string_view key) {
    return std::ranges::find(keys, key) != keys.end();
}

const PickleValue* find_set(const PickleTree& tree, const PickleDict& dict, std::string_view key) {
    const PickleValue* value = tree.find(dict, key);
    return value == nullptr || std::holds_alternative<PickleNone>(*value) ? nullptr : value;
}

struct Weights {
    const PickleDict* dict = nullptr;
    std::string_view key;  ///< empty for the checkpoint's top mapping
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
    for (const std::string_view key : averaged_keys)
        if (const PickleValue* value = find_set(archive.tree, top, key);
            averaged.dict == nullptr && value != nullptr)
            averaged = mapping(key, *value);
    Weights plain{&top, {}};
    for (const std::string_view key : plain_keys)
        if (const PickleValue* value = find_set(archive.tree, top, key);
            plain.key.empty() && value != nullptr)
            plain = mapping(key, *value);

    // In Facebook's DINO and DINOv2, the teacher is the student's moving average.
    if (averaged.dict == nullptr && plain.key.empty()) {
        if (const PickleValue* value = find_set(archive.tree, top, "teacher"))
            averaged = mapping("teacher", *value);
        if (const PickleValue* value = find_set(archive.tree, top, "student"))
            plain = mapping("student", *value);
    }

    if (ema == EmaChoice::ema && averaged.dict == nullptr)
        throw Error(ErrorKind::model,
                    fmt::format("{}: EMA weights were requested, but the checkpoint has none of "
                                "state_dict_ema, model_ema and teacher; where the names of "
                                "tensors tell them apart, choose with --prefix NAME.",
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

/// "a mapping with 2 tensors". The number shows how many tensors are not used with a nested
/// mapping.
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

/// Adds one note for each of the first most_listed entries that are not weights, and one note for
/// all others.
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

/// Refuses two entries of the same name. Python would use the later value, but it may be the wrong
/// one.
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

/// Refuses a tensor of a kind that cannot be read. Otherwise the weight would be missing without a
/// message.
void refuse_inert(const TorchArchive& archive, std::string_view name, const PickleValue& value) {
    const auto* inert = std::get_if<PickleInert>(&value);
    if (inert != nullptr && inert->is_tensor)
        throw Error(ErrorKind::unsupported,
                    fmt::format("{}: tensor {}: expected a dense tensor, found {}; save it as a "
                                "dense float32 tensor",
                                archive.where, in_quotes(name), inert->kind));
}

/// Records an entry that is not a tensor for the report. Then a weight that is stored as text, for
/// example, is not reported as missing.
void add_other(Checkpoint& checkpoint, std::string_view name, const PickleValue& value) {
    if (checkpoint.other_entries.size() < most_others)
        checkpoint.other_entries.push_back(
            {name.size() > longest_other || !is_utf8(name) ? in_quotes(name) : std::string(name),
             kind_name(value)});
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

/// Advice for a checkpoint that has its weights in a mapping under an unknown key.
std::string nested_hint(const PickleTree& tree, const PickleDict& dict) {
    for (const auto& [key, value] : dict.items) {
        const auto* name = std::get_if<std::string_view>(&tree[key]);
        const auto* nested = std::get_if<PickleDict>(&tree[value]);
        if (name == nullptr || nested == nullptr || nested->items.empty()) continue;
        const PickleValue& first = tree[nested->items[0].second];
        if (std::holds_alternative<std::unique_ptr<PickleTensor>>(first))
            return fmt::format(
                "; save the weights alone: torch.save(torch.load(FILE, "
                "weights_only=True)[{}], NEW_FILE)",
                in_quotes(*name));
    }
    return "";
}

/// Sets the tensors' data after all tensors have passed their checks. Copies those whose bytes in
/// the file cannot be used directly.
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
    std::map<const ZipMember*, std::span<const std::byte>> read;  // each storage is verified once
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

constexpr std::array<std::string_view, 5> wrappers{"module", "_orig_mod", "_fsdp_wrapped_module",
                                                   "_checkpoint_wrapped_module", "_forward_module"};

bool is_wrapper(std::string_view part) {
    return std::ranges::find(wrappers, part) != wrappers.end();
}

/// The parts as text for a message: "module. and _orig_mod.".
std::string wrappers_in(const std::set<std::string_view>& parts) {
    return fmt::format("{}.", fmt::join(parts, ". and "));
}

/// Calls use(part) for every part of the name except the last, without its dot. Returns the last
/// part.
template <typename Use>
std::string_view for_each_part(std::string_view name, Use&& use) {
    for (std::size_t dot; (dot = name.find('.')) != std::string_view::npos;) {
        use(name.substr(0, dot));
        name.remove_prefix(dot + 1);
    }
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
            const bool is_weights = text != nullptr && (is_one_of(averaged_keys, *text) ||
                                                        is_one_of(plain_keys, *text) ||
                                                        *text == "teacher" || *text == "student");
            if (!is_weights)
                left_out.add(fmt::format("{} ({}): it is beside the weights", key_text(tree[key]),
                                         kind_name(tree[value])));
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
            add_other(checkpoint, name == nullptr ? key_text(tree[key]) : std::string(*name),
                      tree[value]);
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
                    fmt::format("{}: expected named tensors {}, found {}{}", archive.where,
                                weights.key.empty() ? std::string("at the top of the checkpoint")
                                                    : "under " + in_quotes(weights.key),
                                first_keys(tree, *weights.dict),
                                weights.dict == top ? nested_hint(tree, *top) : ""));
    complete(archive, found, checkpoint);
}

std::string without_wrappers(std::string_view name) {
    std::string out;
    const std::string_view last = for_each_part(name, [&](std::string_view part) {
        if (is_wrapper(part)) return;
        out += part;
        out += '.';
    });
    return out.append(last);
}

void clean_names(Checkpoint& checkpoint, std::string_view where) {
    std::size_t changed = 0;
    std::set<std::string_view> found;
    for (TensorView& tensor : checkpoint.tensors) {
        if (!is_utf8(tensor.name))
            throw Error(ErrorKind::model, fmt::format("{}: tensor {}: expected a name in UTF-8",
                                                      where, in_quotes(tensor.name)));
        bool wrapped = false;
        for_each_part(tensor.name, [&](std::string_view part) {
            const auto wrapper = std::ranges::find(wrappers, part);
            if (wrapper == wrappers.end()) return;
            found.insert(*wrapper);
            wrapped = true;
        });
        if (!wrapped) continue;
        tensor.name = without_wrappers(tensor.name);
        ++changed;
    }
    for (OtherEntry& entry : checkpoint.other_entries) entry.name = without_wrappers(entry.name);
    if (changed != 0)
        checkpoint.notes.push_back(
            fmt::format("took {} out of {} names", wrappers_in(found), changed));
    std::unordered_set<std::string_view> names;
    for (const TensorView& tensor : checkpoint.tensors)
        if (!names.insert(tensor.name).second)
            throw Error(
                ErrorKind::model,
                fmt::format(
                    "{}: two tensors are named {}{}", where, in_quotes(tensor.name),
                    changed == 0 ? "" : " once " + wrappers_in(found) + " are taken out of names"));
}

}  // namespace vit::inline internal
