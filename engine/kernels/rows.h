// Plain arithmetic on rows: residual addition, mean over rows.
#pragma once

#include "engine/kernels/xsimd_shim.h"

namespace vit::kernels {

template <class A>
void add(float* x, std::size_t x_stride, const float* y, std::size_t y_stride, std::size_t rows,
         std::size_t cols) {
    constexpr std::size_t w = width<A>;
    const std::size_t whole = cols - cols % w;
    const std::size_t rest = cols - whole;
    for (std::size_t r = 0; r < rows; ++r, x += x_stride, y += y_stride) {
        for (std::size_t i = 0; i < whole; i += w) store<A>(x + i, load<A>(x + i) + load<A>(y + i));
        if (rest > 0)
            store_partial<A>(
                x + whole, rest,
                load_partial<A>(x + whole, rest, 0.0F) + load_partial<A>(y + whole, rest, 0.0F));
    }
}

/// A block of columns runs down all rows in registers; each column is summed in row order.
template <class A>
void mean_rows(const float* in, std::size_t stride, std::size_t rows, std::size_t cols,
               float* out) {
    using V = F32<A>;
    constexpr std::size_t w = width<A>;
    constexpr std::size_t block = 8;
    const V count(static_cast<float>(rows));
    std::size_t c = 0;
    for (; c + block * w <= cols; c += block * w) {
        V sum[block];
        for (std::size_t k = 0; k < block; ++k) sum[k] = V(0.0F);
        for (std::size_t r = 0; r < rows; ++r)
            for (std::size_t k = 0; k < block; ++k) sum[k] += load<A>(in + r * stride + c + k * w);
        for (std::size_t k = 0; k < block; ++k) store<A>(out + c + k * w, sum[k] / count);
    }
    for (; c < cols; c += w) {
        const std::size_t rest = cols - c;
        V sum(0.0F);
        for (std::size_t r = 0; r < rows; ++r) {
            const float* p = in + r * stride + c;
            sum += rest >= w ? load<A>(p) : load_partial<A>(p, rest, 0.0F);
        }
        if (rest >= w)
            store<A>(out + c, sum / count);
        else
            store_partial<A>(out + c, rest, sum / count);
    }
}

}  // namespace vit::kernels
