#pragma once

#include <concepts>
#include <type_traits>

namespace vit::inline internal {

/// n / by, rounded up. Requires n >= 0 and by > 0.
template <std::integral T>
constexpr T divide_up(T n, std::type_identity_t<T> by) {
    return (n + by - 1) / by;
}
/// The smallest multiple of `unit` that is at least n.
template <std::integral T>
constexpr T round_up(T n, std::type_identity_t<T> unit) {
    return divide_up(n, unit) * unit;
}

}  // namespace vit::inline internal
