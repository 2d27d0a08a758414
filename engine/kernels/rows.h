// Plain arithmetic on rows: sums, products, mean and maximum over rows.
#pragma once

#include "engine/kernels/lanes.h"
#include "engine/kernels/matrix.h"

namespace vit::inline internal::kernels {

/// out = f(x, y) for one row, a vector at a time. The result for an element does not depend on its
/// position.
template <class A, class Out, class Function>
inline void combine_row(const float* x, const float* y, Out out, std::size_t cols,
                        Function f) noexcept {
    constexpr std::size_t w = width<A>;
    const std::size_t whole = cols - cols % w;
    const std::size_t rest = cols - whole;
    for (std::size_t i = 0; i < whole; i += w)
        store<A>(at<A>(out, i), f(load<A>(x + i), load<A>(y + i)));
    if (rest > 0)
        store_partial<A>(
            at<A>(out, whole), rest,
            f(load_partial<A>(x + whole, rest, 0.0F), load_partial<A>(y + whole, rest, 0.0F)));
}

template <class A>
void add_scaled(Matrix<const float> y, float factor, Matrix<float> x) {
    const F32<A> f(factor);
    for (std::size_t r = 0; r < x.rows; ++r) {
        float* const row = x.data + r * x.row;
        combine_row<A>(row, y.data + r * y.row, row, x.cols,
                       [f](F32<A> a, F32<A> b) { return fmadd<A>(f, b, a); });
    }
}

template <class A, class Out>
void multiply(Matrix<const float> x, Matrix<const float> y, Matrix<Out> out) {
    for (std::size_t r = 0; r < out.rows; ++r)
        combine_row<A>(x.data + r * x.row, y.data + r * y.row, row_of<A>(out, r), out.cols,
                       [](F32<A> a, F32<A> b) { return a * b; });
}

/// Copies rows and rounds them to bfloat16.
template <class A>
void round_bf16(Matrix<const float> in, Matrix<BFloat16> out) {
    for (std::size_t r = 0; r < out.rows; ++r) {
        const float* const row = in.data + r * in.row;
        combine_row<A>(row, row, row_of<A>(out, r), out.cols, [](F32<A> a, F32<A>) { return a; });
    }
}

/// out[c] = finish(combine(… combine(start, in[0, c]) …)). A block of columns stays in registers
/// while it reads all rows. Each column is combined in the order of the rows.
template <class A, class Combine, class Finish>
inline void reduce_rows(Matrix<const float> matrix, float* out, float start, Combine combine,
                        Finish finish) noexcept {
    using V = F32<A>;
    const float* const in = matrix.data;
    const std::size_t rows = matrix.rows, cols = matrix.cols, stride = matrix.row;
    constexpr std::size_t w = width<A>;
    constexpr std::size_t block = 8;
    std::size_t c = 0;
    for (; c + block * w <= cols; c += block * w) {
        V sum[block];
        for (std::size_t k = 0; k < block; ++k) sum[k] = V(start);
        for (std::size_t r = 0; r < rows; ++r)
            for (std::size_t k = 0; k < block; ++k)
                sum[k] = combine(sum[k], load<A>(in + r * stride + c + k * w));
        for (std::size_t k = 0; k < block; ++k) store<A>(out + c + k * w, finish(sum[k]));
    }
    for (; c < cols; c += w) {
        const std::size_t rest = cols - c;
        V sum(start);
        for (std::size_t r = 0; r < rows; ++r) {
            const float* p = in + r * stride + c;
            sum = combine(sum, rest >= w ? load<A>(p) : load_partial<A>(p, rest, 0.0F));
        }
        if (rest >= w)
            store<A>(out + c, finish(sum));
        else
            store_partial<A>(out + c, rest, finish(sum));
    }
}

template <class A>
void mean_rows(Matrix<const float> in, float* out) {
    const F32<A> count(static_cast<float>(in.rows));
    reduce_rows<A>(
        in, out, 0.0F, [](F32<A> sum, F32<A> x) { return sum + x; },
        [count](F32<A> sum) { return sum / count; });
}

template <class A>
void max_rows(Matrix<const float> in, float* out) {
    // This comparison takes a NaN and then keeps it.
    reduce_rows<A>(
        in, out, -__builtin_inff(),
        [](F32<A> most, F32<A> x) { return xsimd::select((x > most) | xsimd::isnan(x), x, most); },
        [](F32<A> most) { return most; });
}

}  // namespace vit::inline internal::kernels
