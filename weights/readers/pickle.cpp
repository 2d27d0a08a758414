#include "weights/readers/pickle.h"

#include <fmt/format.h>

#include <bit>

#include "vit/error.h"
#include "weights/readers/pickle_reader.h"

namespace vit::inline internal {

namespace {

constexpr std::size_t most_bytes = std::size_t{64} << 20;

}  // namespace

void PickleReader::push_long(std::span<const std::byte> digits) {
    if (digits.size() > 8) return push_new(PickleBigInt{});
    std::uint64_t value = 0;
    for (std::size_t i = digits.size(); i-- > 0;)
        value = (value << 8) | static_cast<std::uint64_t>(digits[i]);
    const std::size_t bits = 8 * digits.size();
    if (bits > 0 && bits < 64 && ((value >> (bits - 1)) & 1u) != 0) value |= ~0ull << bits;
    push_integer(static_cast<std::int64_t>(value));
}

void PickleReader::push_bytes(std::uint64_t size) {
    const auto part = take(size);
    push_new(PickleBytes{{reinterpret_cast<const char*>(part.data()), part.size()}});
}

/// A str of Python 2, which is text in most cases.
void PickleReader::push_byte_string(std::uint64_t size) {
    const auto part = take(size);
    const std::string_view found(reinterpret_cast<const char*>(part.data()), part.size());
    if (is_utf8(found))
        push_new(found);
    else
        push_new(PickleBytes{found});
}

void PickleReader::step(std::uint64_t opcode) {
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
                refuse(fmt::format("expected values nested at most {} deep, found more", deepest));
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
        case 0x96:  // BYTEARRAY8
            return push_bytes(number(8));
        case 'U':  // SHORT_BINSTRING
            return push_byte_string(number(1));
        case 'T':  // BINSTRING
            return push_byte_string(number(4));
        case 0x8f:  // EMPTY_SET
            return push_new(PickleInert{"a set"});
        case 0x90:  // ADDITEMS
            pop_mark();
            expect<PickleInert>(top(), "a set to add to");
            return;
        case 0x91:  // FROZENSET
            pop_mark();
            return push_new(PickleInert{"a set"});
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
    static_assert(std::size(names) + 1 == std::variant_size_v<PickleValue>);
    if (const auto* inert = std::get_if<PickleInert>(&value)) return inert->kind;
    return names[value.index()];
}

PickleTree read_pickle(std::span<const std::byte> bytes, std::string_view where) {
    if (bytes.size() > most_bytes)
        throw Error(ErrorKind::format, fmt::format("{}: expected at most {} bytes, found {}", where,
                                                   most_bytes, bytes.size()));
    std::size_t size = 0;
    PickleTree tree = PickleReader(bytes, where).read(size);
    if (size != bytes.size())
        throw Error(ErrorKind::format, fmt::format("{}: byte {}: {} bytes follow the pickle's end",
                                                   where, size, bytes.size() - size));
    return tree;
}

PickleTree read_pickle_at_start(std::span<const std::byte> bytes, std::string_view where,
                                std::size_t& size) {
    return PickleReader(bytes.first(std::min(bytes.size(), most_bytes)), where).read(size);
}

}  // namespace vit::inline internal
