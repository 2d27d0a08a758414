// Copies tensors whose elements are not in row-major order, and swaps the bytes of big-endian ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/model/tensor.h"

namespace vit::inline internal {

/// True when the elements of a tensor are stored one after another, row by row. `stride` has one
/// stride for each extent, in elements. The strides of extents 0 and 1 do not matter.
bool is_row_major(const Shape& shape, std::span<const std::int64_t> stride);

/// One more than the largest element index in use; 0 for an empty tensor. Strides must be 0 or
/// more. Throws Error(format) with `what` where the result does not fit in 64 bits.
std::uint64_t extent_of(const Shape& shape, std::span<const std::int64_t> stride,
                        std::string_view what);

/// Copies the elements into `out` in row-major order. `item` is the size of an element: 1, 2, 4 or
/// 8 bytes. `out` must have exactly the bytes that the shape needs, `from` at least extent_of()
/// elements.
void copy_row_major(const Shape& shape, std::span<const std::int64_t> stride, std::size_t item,
                    std::span<const std::byte> from, std::span<std::byte> out);

/// Reverses the bytes of each element of `item` bytes.
void swap_bytes(std::span<std::byte> data, std::size_t item);

}  // namespace vit::inline internal
