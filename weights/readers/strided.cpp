#include "weights/readers/strided.h"

#include <algorithm>
#include <cstring>

#include "engine/base/checked.h"

namespace vit::inline internal {

namespace {

bool is_empty(const Shape& shape) {
    return std::find(shape.begin(), shape.end(), 0) != shape.end();
}

template <std::size_t Item>
void copy_row(std::int64_t count, std::int64_t stride, const std::byte* from, std::byte* out) {
    for (std::int64_t i = 0; i < count; ++i)
        std::memcpy(out + i * static_cast<std::int64_t>(Item),
                    from + i * stride * static_cast<std::int64_t>(Item), Item);
}

using CopyRow = void (*)(std::int64_t, std::int64_t, const std::byte*, std::byte*);

CopyRow copy_row_of(std::size_t item) {
    return item == 1   ? copy_row<1>
           : item == 2 ? copy_row<2>
           : item == 4 ? copy_row<4>
                       : copy_row<8>;
}

}  // namespace

bool is_row_major(const Shape& shape, std::span<const std::int64_t> stride) {
    if (is_empty(shape)) return true;
    std::uint64_t expected = 1;
    for (std::size_t i = shape.size(); i-- > 0;) {
        if (shape[i] == 1) continue;
        if (static_cast<std::uint64_t>(stride[i]) != expected) return false;
        expected = checked::mul(expected, static_cast<std::uint64_t>(shape[i]), "a tensor's shape");
    }
    return true;
}

std::uint64_t extent_of(const Shape& shape, std::span<const std::int64_t> stride,
                        std::string_view what) {
    if (is_empty(shape)) return 0;
    std::uint64_t last = 0;
    for (std::size_t i = 0; i < shape.size(); ++i)
        last = checked::add(last,
                            checked::mul(static_cast<std::uint64_t>(shape[i]) - 1,
                                         static_cast<std::uint64_t>(stride[i]), what),
                            what);
    return checked::add(last, 1, what);
}

void copy_row_major(const Shape& shape, std::span<const std::int64_t> stride, std::size_t item,
                    std::span<const std::byte> from, std::span<std::byte> out) {
    if (out.empty()) return;
    const CopyRow copy = copy_row_of(item);
    const std::size_t outer = shape.empty() ? 0 : shape.size() - 1;
    const std::int64_t row = shape.empty() ? 1 : shape.back();
    const std::int64_t step = shape.empty() ? 1 : stride.back();
    Shape index(outer, 0);
    std::int64_t at = 0;
    for (std::byte* to = out.data();;) {
        copy(row, step, from.data() + at * static_cast<std::int64_t>(item), to);
        to += row * static_cast<std::int64_t>(item);
        std::size_t axis = outer;
        for (; axis-- > 0;) {  // counts up to the next row
            at += stride[axis];
            if (++index[axis] < shape[axis]) break;
            at -= stride[axis] * shape[axis];
            index[axis] = 0;
        }
        if (axis >= outer) return;  // axis 0 has wrapped too: all rows are copied
    }
}

void swap_bytes(std::span<std::byte> data, std::size_t item) {
    for (auto at = data.begin(); at != data.end(); at += static_cast<std::ptrdiff_t>(item))
        std::reverse(at, at + static_cast<std::ptrdiff_t>(item));
}

}  // namespace vit::inline internal
