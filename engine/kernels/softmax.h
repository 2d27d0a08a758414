// Row-wise softmax in place.
#pragma once

#include "engine/kernels/exp.h"

namespace vit::kernels {

/// e^(scale (x − max)), 0 where that is below e^exp_lowest. scale >= 0 and x <= max.
template <class A>
inline F32<A> softmax_term(F32<A> x, F32<A> max, F32<A> scale) noexcept {
    const F32<A> y = (x - max) * scale;
    const F32<A> e = exp_in_range<A>(at_least<A>(exp_lowest, y));
    return xsimd::select(y < F32<A>(exp_lowest), F32<A>(0.0F), e);
}

/// One row, cols > 0: maximum, exponentials and their sum, division. Measured relative error at
/// most 5.6e-7 for normally distributed scores and up to 3072 of them; where scores are 80 below
/// the maximum, 4.2e-6, most of it from rounding the difference.
template <class A>
inline void softmax_row(float* x, std::size_t cols, float scale) noexcept {
    using V = F32<A>;
    constexpr std::size_t w = width<A>;
    const std::size_t whole = cols - cols % w;
    const std::size_t rest = cols - whole;
    // Lanes past the end hold a number of the row for the maximum; their terms are dropped below.
    V tail = load_partial<A>(x + whole, rest, x[0]);

    V max0(x[0]);
    V max1(x[0]);
    std::size_t i = 0;
    for (; i + 2 * w <= whole; i += 2 * w) {
        max0 = xsimd::max(max0, load<A>(x + i));
        max1 = xsimd::max(max1, load<A>(x + i + w));
    }
    if (i < whole) max0 = xsimd::max(max0, load<A>(x + i));
    const V max(max_lane<A>(xsimd::max(xsimd::max(max0, max1), tail)));

    const V factor(scale);
    V sum0(0.0F);
    V sum1(0.0F);
    for (i = 0; i + 2 * w <= whole; i += 2 * w) {
        const V e0 = softmax_term<A>(load<A>(x + i), max, factor);
        const V e1 = softmax_term<A>(load<A>(x + i + w), max, factor);
        store<A>(x + i, e0);
        store<A>(x + i + w, e1);
        sum0 += e0;
        sum1 += e1;
    }
    if (i < whole) {
        const V e0 = softmax_term<A>(load<A>(x + i), max, factor);
        store<A>(x + i, e0);
        sum0 += e0;
    }
    if (rest > 0) {
        tail = softmax_term<A>(tail, max, factor);
        sum1 += keep_first<A>(rest, tail);
    }

    const V inverse = V(1.0F) / V(sum_lanes<A>(sum0 + sum1));
    for (i = 0; i < whole; i += w) store<A>(x + i, load<A>(x + i) * inverse);
    if (rest > 0) store_partial<A>(x + whole, rest, tail * inverse);
}

template <class A>
void softmax(float* x, std::size_t stride, std::size_t rows, std::size_t cols, float scale) {
    if (cols == 0) return;
    for (std::size_t r = 0; r < rows; ++r) softmax_row<A>(x + r * stride, cols, scale);
}

}  // namespace vit::kernels
