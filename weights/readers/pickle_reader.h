// The stack machine of read_pickle(), with limits for bytes, values, stack and memo. Only
// pickle.cpp and pickle_calls.cpp use this header.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/text.h"
#include "vit/error.h"
#include "weights/readers/pickle.h"
#include "weights/readers/pickle_globals.h"

namespace vit::inline internal {

/// Reads one pickle.
class PickleReader {
  public:
    PickleReader(std::span<const std::byte> bytes, std::string_view where)
        : bytes_(bytes), where_(where) {
        add(PickleNone{}, 0);
        add(false, 0);
        add(true, 0);
        add(PickleTuple{}, 0);
        for (std::int64_t i = 0; i < small_ints; ++i) add(i, 0);
    }

    /// Reads up to the end of the pickle. Other bytes may follow it. `size` becomes its length in
    /// bytes.
    PickleTree read(std::size_t& size) {
        for (std::uint64_t count = 0; !stopped_; ++count) {
            opcode_at_ = at_;
            if (count == most_opcodes)
                refuse(fmt::format("expected at most {} opcodes, found more", most_opcodes));
            step(number(1));
        }
        size = at_;
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
        // The limit grows with the bytes that were read, not with all bytes: in the older format
        // the storages follow the pickle.
        if (bytes > 3 * at_ + spare_memory - memory_used_)
            refuse("the pickle needs far more memory than its size warrants");
        memory_used_ += bytes;
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
    /// Only the values above the last mark may be used.
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
    /// Updates the depth of a container into which `item` is put.
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

    // Opcodes, in pickle.cpp.

    void step(std::uint64_t opcode);
    void push_long(std::span<const std::byte> digits);
    void push_bytes(std::uint64_t size);
    void push_byte_string(std::uint64_t size);

    // Calls and names, in pickle_calls.cpp.

    void push_global(std::string_view module, std::string_view name);
    const KnownGlobal& global_of(PickleId id, std::string_view what);
    template <typename T>
    const T& expect(PickleId id, std::string_view what) {
        const T* value = std::get_if<T>(&node(id));
        if (value == nullptr)
            refuse(fmt::format("expected {}, found {}", what, kind_name(node(id))));
        return *value;
    }
    std::int64_t not_negative(PickleId id, std::string_view what);
    std::vector<std::int64_t> sizes(PickleId id, std::string_view what);
    void persistent();
    void read_view(PickleStorage& storage, PickleId id);
    PickleId tensor(GlobalRole role, const std::vector<PickleId>& arguments);
    void read_metadata(PickleTensor& tensor, PickleId id);
    PickleId ordered_dict(const std::vector<PickleId>& arguments);
    PickleId other_dict(const KnownGlobal& callee, const std::vector<PickleId>& arguments);
    PickleId tensor_of_type(const std::vector<PickleId>& arguments);
    PickleId apply(const KnownGlobal& callee, const std::vector<PickleId>& arguments);
    void call();
    void build();

    static constexpr PickleId no_value = UINT32_MAX;
    static constexpr std::uint64_t most_opcodes = 10'000'000;
    // Values on the stack that wait for their list, tuple or dict.
    static constexpr std::size_t most_stacked = 262'144;
    static constexpr std::size_t most_memo = 4'194'304;
    static constexpr std::size_t deepest = 200;
    static constexpr std::size_t most_dims = 8;
    static constexpr std::size_t spare_memory = std::size_t{24} << 20;
    static constexpr std::size_t heap_overhead = 16;  // of one allocation, approximately
    static constexpr PickleId id_none = 0;
    static constexpr PickleId id_false = 1;
    static constexpr PickleId id_true = 2;
    static constexpr PickleId id_empty_tuple = 3;
    static constexpr PickleId id_zero = 4;  // followed by 1 to 255
    static constexpr std::int64_t small_ints = 256;

    std::span<const std::byte> bytes_;
    std::string_view where_;
    std::size_t at_ = 0;
    std::size_t opcode_at_ = 0;
    bool stopped_ = false;
    std::size_t memory_used_ = 0;
    PickleTree tree_;
    // The depth of nesting inside every value. It is too small where an inner value was filled
    // after it was put into an outer one.
    std::deque<std::uint8_t> depth_;
    std::vector<PickleId> stack_;
    std::vector<std::size_t> marks_;
    std::deque<PickleId> memo_;  // grows without copying
};

}  // namespace vit::inline internal
