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
void add_scaled(float* x, std::size_t x_stride, const float* y, std::size_t y_stride,
                std::size_t rows, std::size_t cols, float factor) {
    const F32<A> f(factor);
    for (std::size_t r = 0; r < rows; ++r, x += x_stride, y += y_stride)
        combine_row<A>(x, y, x, cols, [f](F32<A> a, F32<A> b) { return fmadd<A>(f, b, a); });
}

template <class A>
void multiply(const float* x, std::size_t x_stride, const float* y, std::size_t y_stride,
              float* out, std::size_t out_stride, std::size_t rows, std::size_t cols) {
    for (std::size_t r = 0; r < rows; ++r)
        combine_row<A>(x + r * x_stride, y + r * y_stride, out + r * out_stride, cols,
                       [](F32<A> a, F32<A> b) { return a * b; });
}

template <class A>
void multiply_bf16(const float* x, std::size_t x_stride, const float* y, std::size_t y_stride,
                   Matrix<BFloat16> out, std::size_t rows, std::size_t cols) {
    for (std::size_t r = 0; r < rows; ++r)
        combine_row<A>(x + r * x_stride, y + r * y_stride, row_of<A>(out, r), cols,
                       [](F32<A> a, F32<A> b) { return a * b; });
}

/// Copies rows and rounds them to bfloat16.
template <class A>
void round_bf16(const float* in, std::size_t in_stride, Matrix<BFloat16> out, std::size_t rows,
                std::size_t cols) {
    for (std::size_t r = 0; r < rows; ++r, in += in_stride)
        combine_row<A>(in, in, row_of<A>(out, r), cols, [](F32<A> a, F32<A>) { return a; });
}

/// out[c] = finish(combine(… combine(start, in[0, c]) …)). A block of columns stays in registers
/// while it reads all rows. Each column is combined in the order of the rows.
template <class A, class Combine, class Finish>
inline void reduce_rows(const float* in, std::size_t stride, std::size_t rows, std::size_t cols,
                        float* out, float start, Combine combine, Finish finish) noexcept {
    using V = F32<A>;
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
void mean_rows(const float* in, std::size_t stride, std::size_t rows, std::size_t cols,
               float* out) {
    const F32<A> count(static_cast<float>(rows));
    reduce_rows<A>(
        in, stride, rows, cols, out, 0.0F, [](F32<A> sum, F32<A> x) { return sum + x; },
        [count](F32<A> sum) { return sum / count; });
}

template <class A>
void max_rows(const float* in, std::size_t stride, std::size_t rows, std::size_t cols, float* out) {
    // This comparison takes a NaN and then keeps it.
    reduce_rows<A>(
        in, stride, rows, cols, out, -__builtin_inff(),
        [](F32<A> most, F32<A> x) { return xsimd::select((x > most) | xsimd::isnan(x), x, most); },
        [](F32<A> most) { return most; });
}

}  // namespace vit::inline internal::kernels
