// Tensors whose elements are not in row-major order, or are big-endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/model/tensor.h"

namespace vit::inline internal {

/// Returns whether the elements of `shape` follow each other, row by row. Strides are in elements.
/// The strides of extents 0 and 1 do not matter.
bool is_row_major(const Shape& shape, std::span<const std::int64_t> stride);

/// Returns the largest index of an element plus 1; 0 for an empty tensor. Strides must not be
/// negative. Throws Error(format) with the name `what` where the result does not fit in 64 bits.
std::uint64_t extent_of(const Shape& shape, std::span<const std::int64_t> stride,
                        std::string_view what);

/// Copies the elements in row-major order. `out` has exactly as many bytes as the shape needs.
/// `from` has at least extent_of() elements of `item` bytes.
void copy_row_major(const Shape& shape, std::span<const std::int64_t> stride, std::size_t item,
                    std::span<const std::byte> from, std::span<std::byte> out);

/// Turns big-endian elements of `item` bytes into little-endian ones.
void swap_bytes(std::span<std::byte> data, std::size_t item);

}  // namespace vit::inline internal
