// Root mean square normalisation of rows.
#pragma once

#include "engine/kernels/lanes.h"
#include "engine/kernels/matrix.h"

namespace vit::inline internal::kernels {

/// Normalises one row, cols > 0. The sum of squares uses four vectors. Measured relative error at
/// most 2.4e-7, for normally distributed rows of 1 to 3072 elements.
template <class A, class Out>
inline void rms_norm_row(const float* in, Out out, std::size_t cols,
                         const NormParameters& norm) noexcept {
    using V = F32<A>;
    constexpr std::size_t w = width<A>;
    constexpr std::size_t lanes = 4;
    const float* const gamma = norm.gamma;
    const std::size_t whole = cols - cols % w;
    const std::size_t rest = cols - whole;

    V square[lanes] = {V(0.0F), V(0.0F), V(0.0F), V(0.0F)};
    const auto add_square = [&](V x, std::size_t k) { square[k] = fmadd<A>(x, x, square[k]); };
    std::size_t i = 0;
    for (; i + lanes * w <= whole; i += lanes * w)
        for (std::size_t k = 0; k < lanes; ++k) add_square(load<A>(in + i + k * w), k);
    for (; i < whole; i += w) add_square(load<A>(in + i), 0);
    const V tail = load_partial<A>(in + whole, rest, 0.0F);
    add_square(tail, 1);

    const V sum(sum_lanes<A>((square[0] + square[1]) + (square[2] + square[3])));
    const V inverse = V(1.0F) / xsimd::sqrt(sum / V(static_cast<float>(cols)) + V(norm.eps));
    for (i = 0; i < whole; i += w)
        store<A>(at<A>(out, i), load<A>(in + i) * inverse * load<A>(gamma + i));
    if (rest > 0)
        store_partial<A>(at<A>(out, whole), rest,
                         tail * inverse * load_partial<A>(gamma + whole, rest, 0.0F));
}

template <class A, class Out>
void rms_norm(Matrix<const float> in, Matrix<Out> out, const NormParameters& norm) {
    if (out.cols == 0) return;
    for (std::size_t r = 0; r < out.rows; ++r)
        rms_norm_row<A>(in.data + r * in.row, row_of<A>(out, r), out.cols, norm);
}

}  // namespace vit::inline internal::kernels
