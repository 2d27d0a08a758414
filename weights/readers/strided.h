// Tensors whose elements do not lie in row-major order, or in another order of bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/model/tensor.h"

namespace vit::inline internal {

/// True when the elements of `shape` lie one after another, row by row. Strides are in elements;
/// those of extents 0 and 1 do not matter.
bool is_row_major(const Shape& shape, std::span<const std::int64_t> stride);

/// One more than the largest element index reached; 0 for an empty tensor. Strides are 0 or more.
/// Throws Error(format) naming `what` when it does not fit in 64 bits.
std::uint64_t extent_of(const Shape& shape, std::span<const std::int64_t> stride,
                        std::string_view what);

/// Copies the elements in row-major order. `out` holds exactly as many bytes as the shape needs,
/// `from` at least extent_of() elements of `item` bytes.
void copy_row_major(const Shape& shape, std::span<const std::int64_t> stride, std::size_t item,
                    std::span<const std::byte> from, std::span<std::byte> out);

/// Elements of `item` bytes, big-endian to little-endian.
void swap_bytes(std::span<std::byte> data, std::size_t item);

}  // namespace vit::inline internal
