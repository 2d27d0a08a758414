// Arithmetic on sizes that come from files. It checks every sum and product for overflow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace vit::inline internal::checked {

/// a + b. Throws Error(format) with `what` where the sum does not fit.
std::uint64_t add(std::uint64_t a, std::uint64_t b, std::string_view what);

/// a * b. Throws Error(format) with `what` where the product does not fit.
std::uint64_t mul(std::uint64_t a, std::uint64_t b, std::string_view what);

/// Product of all extents; 1 for an empty shape. Throws Error(format) where it does not fit.
std::uint64_t product(std::span<const std::int64_t> shape, std::string_view what);

/// Allocates `size` bytes. Throws Error(memory) with `what` where that fails.
std::vector<std::byte> bytes(std::uint64_t size, std::string_view what);

/// `value` as std::size_t. Throws Error(memory) where it does not fit.
std::size_t to_size(std::uint64_t value, std::string_view what);

}  // namespace vit::inline internal::checked
