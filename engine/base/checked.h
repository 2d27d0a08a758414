// Arithmetic on sizes that come from files: every sum and product is checked before it is used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace vit::inline internal::checked {

/// a + b. Throws Error(format) naming `what` when the sum does not fit.
std::uint64_t add(std::uint64_t a, std::uint64_t b, std::string_view what);

/// a * b. Throws Error(format) naming `what` when the product does not fit.
std::uint64_t mul(std::uint64_t a, std::uint64_t b, std::string_view what);

/// Product of all extents (1 for an empty shape). Throws Error(format) when it does not fit.
std::uint64_t product(std::span<const std::int64_t> shape, std::string_view what);

/// So many bytes of memory. Throws Error(memory) naming `what` where there are not as many.
std::vector<std::byte> bytes(std::uint64_t size, std::string_view what);

/// `value` as std::size_t. Throws Error(memory) when it does not fit.
std::size_t to_size(std::uint64_t value, std::string_view what);

}  // namespace vit::inline internal::checked
