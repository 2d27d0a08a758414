#include "weights/readers/pickle.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "vit/error.h"
#include "weights/model_file/text.h"
#include "weights/readers/little_endian.h"
#include "weights/readers/pickle_globals.h"

namespace vit {

namespace {

constexpr std::size_t most_bytes = std::size_t{64} << 20;
constexpr std::uint64_t most_opcodes = 10'000'000;
constexpr std::size_t most_stacked = 262'144;  // values waiting for their list, tuple or dict
constexpr std::size_t most_memo = 4'194'304;
constexpr std::size_t deepest = 200;
constexpr std::size_t most_dims = 8;
constexpr std::size_t heap_overhead = 16;  // of one allocation, roughly

constexpr PickleId id_none = 0;
constexpr PickleId id_false = 1;
constexpr PickleId id_true = 2;
constexpr PickleId id_empty_tuple = 3;
constexpr PickleId id_zero = 4;  // followed by 1 to 255
constexpr std::int64_t small_ints = 256;

}  // namespace

/// The stack machine. One value of it reads one pickle.
class PickleReader {
  public:
    PickleReader(std::span<const std::byte> bytes, std::string_view where)
        : bytes_(bytes), where_(where), memory_left_(3 * bytes.size() + (std::size_t{24} << 20)) {
        add(PickleNone{}, 0);
        add(false, 0);
        add(true, 0);
        add(PickleTuple{}, 0);
        for (std::int64_t i = 0; i < small_ints; ++i) add(i, 0);
    }

    PickleTree read() {
        for (std::uint64_t count = 0; !stopped_; ++count) {
            opcode_at_ = at_;
            if (count == most_opcodes)
                refuse(fmt::format("expected at most {} opcodes, found more", most_opcodes));
            step(number(1));
        }
        if (at_ != bytes_.size())
            refuse(fmt::format("{} bytes follow the pickle's end", bytes_.size() - at_));
        return std::move(tree_);
    }

  private:
    [[noreturn]] void refuse(const std::string& what, ErrorKind kind = ErrorKind::format) const {
        throw Error(kind, fmt::format("{}: byte {}: {}", where_, opcode_at_, what));
    }

    // Bytes.

    std::span<const std::byte> take(std::uint64_t size) {
        if (size > bytes_.size() - at_)
            refuse(fmt::format("expected {} more bytes, found {}; the pickle is truncated", size,
                               bytes_.size() - at_));
        const auto part = bytes_.subspan(at_, static_cast<std::size_t>(size));
        at_ += part.size();
        return part;
    }
    std::uint64_t number(std::size_t size) {
        std::uint64_t value = 0;
        const auto part = take(size);
        for (std::size_t i = size; i-- > 0;)
            value = (value << 8) | static_cast<std::uint64_t>(part[i]);
        return value;
    }
    std::string_view text(std::uint64_t size) {
        const auto part = take(size);
        const std::string_view found(reinterpret_cast<const char*>(part.data()), part.size());
        if (!is_utf8(found)) refuse("expected UTF-8 text, found other bytes");
        return found;
    }
    std::string_view line() {
        const auto rest = bytes_.subspan(at_);
        const auto end = std::find(rest.begin(), rest.end(), std::byte{'\n'});
        if (end == rest.end()) refuse("expected a line of text; the pickle is truncated");
        const std::string_view found = text(static_cast<std::uint64_t>(end - rest.begin()));
        ++at_;
        return found;
    }

    // Values.

    void charge(std::size_t bytes) {
        if (bytes > memory_left_) refuse("the pickle needs far more memory than its size warrants");
        memory_left_ -= bytes;
    }
    PickleId add(PickleValue value, std::size_t depth) {
        if (depth > deepest)
            refuse(fmt::format("expected values nested at most {} deep, found more", deepest));
        charge(sizeof(PickleValue) + sizeof(std::uint8_t));
        tree_.nodes_.push_back(std::move(value));
        depth_.push_back(static_cast<std::uint8_t>(depth));
        return static_cast<PickleId>(tree_.nodes_.size() - 1);
    }
    PickleValue& node(PickleId id) { return tree_.nodes_[id]; }
    void push(PickleId id) {
        if (stack_.size() == most_stacked)
            refuse(
                fmt::format("expected at most {} values on the stack, found more", most_stacked));
        stack_.push_back(id);
    }
    void push_new(PickleValue value) { push(add(std::move(value), 0)); }
    void push_integer(std::int64_t value) {
        if (value >= 0 && value < small_ints)
            push(id_zero + static_cast<PickleId>(value));
        else
            push_new(value);
    }
    /// Values above the last mark may be used, those below it not.
    std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
    PickleId top() const {
        if (stack_.size() <= floor()) refuse("the stack is empty");
        return stack_.back();
    }
    PickleId pop() {
        const PickleId id = top();
        stack_.pop_back();
        return id;
    }
    std::vector<PickleId> pop_count(std::size_t count) {
        if (stack_.size() - floor() < count) refuse("the stack is empty");
        std::vector<PickleId> items(stack_.end() - static_cast<std::ptrdiff_t>(count),
                                    stack_.end());
        stack_.resize(stack_.size() - count);
        return items;
    }
    std::vector<PickleId> pop_mark() {
        if (marks_.empty()) refuse("no mark on the stack");
        std::vector<PickleId> items = pop_count(stack_.size() - marks_.back());
        marks_.pop_back();
        return items;
    }
    void push_tuple(std::vector<PickleId> items) {
        if (items.empty()) return push(id_empty_tuple);
        std::size_t depth = 0;
        for (const PickleId id : items) depth = std::max<std::size_t>(depth, depth_[id]);
        charge(items.size() * sizeof(PickleId) + heap_overhead);
        push(add(PickleTuple{std::move(items)}, depth + 1));
    }
    /// A container became deeper by what was put into it.
    void deepen(PickleId container, PickleId item) {
        const std::size_t depth = depth_[item] + std::size_t{1};
        if (depth > deepest)
            refuse(fmt::format("expected values nested at most {} deep, found more", deepest));
        depth_[container] = std::max(depth_[container], static_cast<std::uint8_t>(depth));
    }
    void append(PickleId list, std::span<const PickleId> items) {
        auto* target = std::get_if<PickleList>(&node(list));
        if (target == nullptr) refuse("expected a list to append to");
        for (const PickleId item : items) {
            charge(2 * sizeof(PickleId) + (target->items.empty() ? heap_overhead : 0));
            deepen(list, item);
            target->items.push_back(item);
        }
    }
    void set_items(PickleId dict, std::span<const PickleId> items) {
        auto* target = std::get_if<PickleDict>(&node(dict));
        if (target == nullptr) refuse("expected a mapping to set items of");
        if (items.size() % 2 != 0) refuse("expected pairs of key and value");
        for (std::size_t i = 0; i < items.size(); i += 2) {
            charge(4 * sizeof(PickleId) + (target->items.empty() ? heap_overhead : 0));
            deepen(dict, items[i]);
            deepen(dict, items[i + 1]);
            target->items.emplace_back(items[i], items[i + 1]);
        }
    }
    void memoize(std::uint64_t index, PickleId id) {
        if (index >= most_memo)
            refuse(
                fmt::format("expected at most {} memo entries, found index {}", most_memo, index));
        if (index >= memo_.size()) {
            const auto size = static_cast<std::size_t>(index) + 1;
            charge((size - memo_.size()) * sizeof(PickleId));
            memo_.resize(size, no_value);
        }
        memo_[static_cast<std::size_t>(index)] = id;
    }
    void recall(std::uint64_t index) {
        if (index >= memo_.size() || memo_[static_cast<std::size_t>(index)] == no_value)
            refuse(fmt::format("nothing was kept under memo index {}", index));
        push(memo_[static_cast<std::size_t>(index)]);
    }

    // Meaning.

    void push_long(std::span<const std::byte> digits) {
        if (digits.size() > 8) return push_new(PickleBigInt{});
        std::uint64_t value = 0;
        for (std::size_t i = digits.size(); i-- > 0;)
            value = (value << 8) | static_cast<std::uint64_t>(digits[i]);
        const std::size_t bits = 8 * digits.size();
        if (bits > 0 && bits < 64 && ((value >> (bits - 1)) & 1u) != 0) value |= ~0ull << bits;
        push_integer(static_cast<std::int64_t>(value));
    }

    void push_global(std::string_view module, std::string_view name) {
        const auto index = find_pickle_global(module, name);
        if (!index)
            refuse(fmt::format("the checkpoint refers to {}, which a state dict does not need and "
                               "which could run code; nothing was executed. If you trust the file, "
                               "load it in Python and save model.state_dict() as safetensors",
                               in_quotes(fmt::format("{}.{}", module, name))),
                   ErrorKind::model);
        push_new(PickleGlobal{*index});
    }

    const KnownGlobal& global_of(PickleId id, std::string_view what) {
        const auto* global = std::get_if<PickleGlobal>(&node(id));
        if (global == nullptr)
            refuse(fmt::format("expected {}, found {}", what, kind_name(node(id))));
        return pickle_globals()[global->index];
    }
    template <typename T>
    const T& expect(PickleId id, std::string_view what) {
        const T* value = std::get_if<T>(&node(id));
        if (value == nullptr)
            refuse(fmt::format("expected {}, found {}", what, kind_name(node(id))));
        return *value;
    }
    std::int64_t not_negative(PickleId id, std::string_view what) {
        const std::int64_t value = expect<std::int64_t>(id, what);
        if (value < 0) refuse(fmt::format("expected {} of 0 or more, found {}", what, value));
        return value;
    }
    std::vector<std::int64_t> sizes(PickleId id, std::string_view what) {
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

    void persistent() {
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

    PickleId tensor(const std::vector<PickleId>& arguments, bool with_dtype) {
        const std::size_t fewest = with_dtype ? 7 : 6;
        if (arguments.size() < fewest || arguments.size() > fewest + 1)
            refuse(fmt::format("expected {} arguments of a tensor, found {}", fewest,
                               arguments.size()));
        auto result = std::make_unique<PickleTensor>();
        charge(sizeof(PickleTensor) + heap_overhead);
        expect<std::unique_ptr<PickleStorage>>(arguments[0], "a storage");
        result->storage = arguments[0];
        result->offset = not_negative(arguments[1], "a storage offset");
        result->shape = sizes(arguments[2], "a size");
        result->stride = sizes(arguments[3], "a stride");
        if (result->shape.size() != result->stride.size())
            refuse(fmt::format("expected as many strides as sizes ({}), found {}",
                               result->shape.size(), result->stride.size()));
        if (with_dtype) {
            const KnownGlobal& dtype = global_of(arguments[6], "an element type");
            if (dtype.role != GlobalRole::dtype)
                refuse(
                    fmt::format("expected an element type, found {}.{}", dtype.module, dtype.name));
            result->dtype = dtype.name;
        }
        return add(std::move(result), 0);
    }

    void call() {
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
    void build() {
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

    void step(std::uint64_t opcode) {
        switch (opcode) {
            case 0x80: {  // PROTO
                const std::uint64_t protocol = number(1);
                if (protocol < 2 || protocol > 5)
                    refuse(fmt::format("expected pickle protocol 2 to 5, found {}", protocol));
                return;
            }
            case 0x95: {  // FRAME: only a hint for buffering
                const std::uint64_t size = number(8);
                if (size > bytes_.size() - at_) refuse("a frame reaches beyond the pickle's end");
                return;
            }
            case '.':  // STOP
                tree_.root_ = pop();
                if (!stack_.empty() || !marks_.empty())
                    refuse("values are left on the stack at the pickle's end");
                stopped_ = true;
                return;
            case '(':  // MARK
                if (marks_.size() == deepest)
                    refuse(
                        fmt::format("expected values nested at most {} deep, found more", deepest));
                return marks_.push_back(stack_.size());
            case '0':  // POP
                pop();
                return;
            case '1':  // POP_MARK
                pop_mark();
                return;
            case 'N':  // NONE
                return push(id_none);
            case 0x88:  // NEWTRUE
                return push(id_true);
            case 0x89:  // NEWFALSE
                return push(id_false);
            case 'J':  // BININT
                return push_integer(static_cast<std::int32_t>(number(4)));
            case 'K':  // BININT1
                return push_integer(static_cast<std::int64_t>(number(1)));
            case 'M':  // BININT2
                return push_integer(static_cast<std::int64_t>(number(2)));
            case 0x8a:  // LONG1
                return push_long(take(number(1)));
            case 0x8b:  // LONG4
                return push_long(take(number(4)));
            case 'G': {  // BINFLOAT, big-endian
                std::uint64_t bits = 0;
                for (const std::byte byte : take(8))
                    bits = (bits << 8) | static_cast<std::uint64_t>(byte);
                return push_new(std::bit_cast<double>(bits));
            }
            case 'X':  // BINUNICODE
                return push_new(text(number(4)));
            case 0x8c:  // SHORT_BINUNICODE
                return push_new(text(number(1)));
            case 0x8d:  // BINUNICODE8
                return push_new(text(number(8)));
            case 'B':  // BINBYTES
                return push_bytes(number(4));
            case 'C':  // SHORT_BINBYTES
                return push_bytes(number(1));
            case 0x8e:  // BINBYTES8
                return push_bytes(number(8));
            case ']':  // EMPTY_LIST
                return push_new(PickleList{});
            case 'a': {  // APPEND
                const PickleId item = pop();
                return append(top(), {&item, 1});
            }
            case 'e': {  // APPENDS
                const auto items = pop_mark();
                return append(top(), items);
            }
            case ')':  // EMPTY_TUPLE
                return push(id_empty_tuple);
            case 't':  // TUPLE
                return push_tuple(pop_mark());
            case 0x85:  // TUPLE1
                return push_tuple(pop_count(1));
            case 0x86:  // TUPLE2
                return push_tuple(pop_count(2));
            case 0x87:  // TUPLE3
                return push_tuple(pop_count(3));
            case '}':  // EMPTY_DICT
                return push_new(PickleDict{});
            case 's': {  // SETITEM
                const auto items = pop_count(2);
                return set_items(top(), items);
            }
            case 'u': {  // SETITEMS
                const auto items = pop_mark();
                return set_items(top(), items);
            }
            case 'c': {  // GLOBAL
                const std::string_view module = line();
                return push_global(module, line());
            }
            case 0x93: {  // STACK_GLOBAL
                const PickleId name = pop();
                const PickleId module = pop();
                return push_global(expect<std::string_view>(module, "a module's name"),
                                   expect<std::string_view>(name, "a name"));
            }
            case 'R':   // REDUCE
            case 0x81:  // NEWOBJ
                return call();
            case 'b':  // BUILD
                return build();
            case 'Q':  // BINPERSID
                return persistent();
            case 'q':  // BINPUT
                return memoize(number(1), top());
            case 'r':  // LONG_BINPUT
                return memoize(number(4), top());
            case 0x94:  // MEMOIZE
                return memoize(memo_.size(), top());
            case 'h':  // BINGET
                return recall(number(1));
            case 'j':  // LONG_BINGET
                return recall(number(4));
            default:
                refuse(
                    fmt::format("opcode {:#04x} is not one that torch.save writes for a state "
                                "dict",
                                opcode));
        }
    }
    void push_bytes(std::uint64_t size) {
        const auto part = take(size);
        push_new(PickleBytes{{reinterpret_cast<const char*>(part.data()), part.size()}});
    }

    static constexpr PickleId no_value = UINT32_MAX;

    std::span<const std::byte> bytes_;
    std::string_view where_;
    std::size_t at_ = 0;
    std::size_t opcode_at_ = 0;
    bool stopped_ = false;
    std::size_t memory_left_;
    PickleTree tree_;
    std::deque<std::uint8_t>
        depth_;  // of every value; a lower bound where values were filled later
    std::vector<PickleId> stack_;
    std::vector<std::size_t> marks_;
    std::deque<PickleId> memo_;  // grows without copying
};

const PickleValue* PickleTree::find(const PickleDict& dict, std::string_view key) const {
    for (auto item = dict.items.rbegin(); item != dict.items.rend(); ++item) {
        const auto* text = std::get_if<std::string_view>(&nodes_[item->first]);
        if (text != nullptr && *text == key) return &nodes_[item->second];
    }
    return nullptr;
}

std::string_view kind_name(const PickleValue& value) {
    static constexpr std::string_view names[] = {
        "None",   "a boolean", "an integer", "a number", "text",      "bytes",    "a large integer",
        "a list", "a tuple",   "a mapping",  "a name",   "a storage", "a tensor", "a namespace"};
    static_assert(std::size(names) == std::variant_size_v<PickleValue>);
    return names[value.index()];
}

PickleTree read_pickle(std::span<const std::byte> bytes, std::string_view where) {
    if (bytes.size() > most_bytes)
        throw Error(ErrorKind::format, fmt::format("{}: expected at most {} bytes, found {}", where,
                                                   most_bytes, bytes.size()));
    return PickleReader(bytes, where).read();
}

}  // namespace vit
