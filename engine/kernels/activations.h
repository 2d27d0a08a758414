// The activations other than GELU with erf: elementwise, in place. NaN gives NaN.
#pragma once

#include "engine/kernels/exp.h"
#include "engine/kernels/lanes.h"

namespace vit::inline internal::kernels {

/// x · sigmoid(scale · x). Below the clamp the result is less than 1e-35 in magnitude. The clamp
/// also prevents infinity times zero for −infinity. Measured relative error at most 2.0e-7 on [-20,
/// 20] with scale 1, 4.2e-7 for x > -3 with scale 1.702.
template <class A>
inline F32<A> scaled_silu(F32<A> x, float scale) noexcept {
    const F32<A> clamped = at_least<A>(exp_lowest / scale, x);
    return clamped * sigmoid<A>(F32<A>(scale) * clamped);
}

template <class A, class T>
void silu_in_place(T* x, std::size_t count) {
    apply<A>(x, count, [](F32<A> v) { return scaled_silu<A>(v, 1.0F); });
}

template <class A, class T>
void quick_gelu_in_place(T* x, std::size_t count) {
    apply<A>(x, count, [](F32<A> v) { return scaled_silu<A>(v, 1.702F); });
}

/// 0.5 x (1 + tanh(u)) = x · sigmoid(2 u), u = √(2/π) (x + 0.044715 x³). At x = −10 the result is
/// −2e-36. The clamp there keeps x³ from overflowing for large negative x. Measured error at most
/// 5.2e-7 on [-9, 9]; relative error 8.7e-7 for x > -3.
template <class A>
inline F32<A> gelu_tanh(F32<A> x) noexcept {
    using V = F32<A>;
    const V clamped = at_least<A>(-10.0F, x);
    const V poly = fmadd<A>(clamped * clamped, V(0.0713548163F), V(1.59576912F));
    return clamped * sigmoid<A>(clamped * poly);
}

template <class A, class T>
void gelu_tanh_in_place(T* x, std::size_t count) {
    apply<A>(x, count, [](F32<A> v) { return gelu_tanh<A>(v); });
}

template <class A, class T>
void relu_in_place(T* x, std::size_t count) {
    apply<A>(x, count, [](F32<A> v) { return at_least<A>(0.0F, v); });
}

/// Near zero x + x³ P(x²), an odd minimax polynomial (error 4.4e-9 before rounding). Elsewhere 1 −
/// 2 / (e^(2|x|) + 1), which reaches exactly 1. Cephes' tanhf (S. Moshier) is split in the same
/// way. Measured relative error at most 1.4e-7.
template <class A>
inline F32<A> tanh_of(F32<A> x) noexcept {
    using V = F32<A>;
    const V magnitude = xsimd::abs(x);
    const V square = x * x;
    V p(-0.00570498407F);
    p = fmadd<A>(p, square, V(0.0206390843F));
    p = fmadd<A>(p, square, V(-0.0537397154F));
    p = fmadd<A>(p, square, V(0.133314416F));
    p = fmadd<A>(p, square, V(-0.333332807F));
    const V near = fmadd<A>(x * square, p, x);
    const V e = exp_in_range<A>(at_most<A>(20.0F, magnitude + magnitude));
    const V far = V(1.0F) - V(2.0F) / (e + V(1.0F));
    return xsimd::select(magnitude < V(0.625F), near, xsimd::select(x < V(0.0F), -far, far));
}

template <class A, class T>
void tanh_in_place(T* x, std::size_t count) {
    apply<A>(x, count, [](F32<A> v) { return tanh_of<A>(v); });
}

}  // namespace vit::inline internal::kernels
