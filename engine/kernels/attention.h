// Scaled dot-product attention (Vaswani et al., "Attention Is All You Need", 2017, equation 1) for
// a block of query rows, head by head, a tile of rows at a time: scores never leave the cache and
// memory does not grow with rows × keys. Every output row is computed by the same chain of
// operations whatever block it is in.
//
// Keys are packed in panels of 2 × batch size keys, [head][panel][head_dim][lane], and values in
// panels of as many columns, [head][panel][key][lane], so that the inner loops read both in order.
#pragma once

#include <cstddef>

#include "engine/kernels/softmax.h"
#include "xsimd/xsimd.hpp"

namespace vit::kernels {

template <class Arch>
struct Attention {
    using Batch = xsimd::batch<float, Arch>;
    static constexpr std::size_t width = Batch::size;
    static constexpr std::size_t panel = 2 * width;
    // Accumulators fill the registers: 6 × 2 of 16, 12 × 2 of 32.
    static constexpr std::size_t micro_rows = width == 16 ? 12 : 6;
    static constexpr std::size_t tile_rows = 24;

    static std::size_t panels(std::size_t n) { return (n + panel - 1) / panel; }

    /// c[MR × panel] = a[MR × depth] · b[depth × panel]; every element is one chain of fused
    /// multiply-adds.
    template <std::size_t MR>
    static void multiply(const float* a, std::size_t lda, const float* b, std::size_t depth,
                         float* c, std::size_t ldc) {
        Batch sum[MR][2];
        for (std::size_t r = 0; r < MR; ++r) sum[r][0] = sum[r][1] = Batch(0.0f);
        for (std::size_t i = 0; i < depth; ++i, b += panel) {
            const Batch b0 = Batch::load_unaligned(b), b1 = Batch::load_unaligned(b + width);
            for (std::size_t r = 0; r < MR; ++r) {
                const Batch x(a[r * lda + i]);
                sum[r][0] = fmadd<Arch>(x, b0, sum[r][0]);
                sum[r][1] = fmadd<Arch>(x, b1, sum[r][1]);
            }
        }
        for (std::size_t r = 0; r < MR; ++r) {
            sum[r][0].store_unaligned(c + r * ldc);
            sum[r][1].store_unaligned(c + r * ldc + width);
        }
    }

    /// Any number of rows up to `micro_rows`.
    template <std::size_t MR = micro_rows>
    static void multiply_rows(std::size_t rows, const float* a, std::size_t lda, const float* b,
                              std::size_t depth, float* c, std::size_t ldc) {
        if constexpr (MR > 1)
            if (rows < MR) return multiply_rows<MR - 1>(rows, a, lda, b, depth, c, ldc);
        multiply<MR>(a, lda, b, depth, c, ldc);
    }

    static void pack_keys(const float* k, std::size_t k_stride, std::size_t first, std::size_t rows,
                          std::size_t keys, std::size_t heads, std::size_t head_dim,
                          float* packed) {
        const std::size_t head_floats = panels(keys) * panel * head_dim;
        for (std::size_t r = 0; r < rows; ++r) {
            const std::size_t key = first + r;
            for (std::size_t h = 0; h < heads; ++h) {
                const float* from = k + r * k_stride + h * head_dim;
                float* to = packed + h * head_floats + key / panel * panel * head_dim + key % panel;
                for (std::size_t d = 0; d < head_dim; ++d) to[d * panel] = from[d];
            }
        }
    }

    static void pack_values(const float* v, std::size_t v_stride, std::size_t first,
                            std::size_t rows, std::size_t keys, std::size_t heads,
                            std::size_t head_dim, float* packed) {
        const std::size_t head_floats = panels(head_dim) * panel * keys;
        for (std::size_t r = 0; r < rows; ++r)
            for (std::size_t h = 0; h < heads; ++h) {
                const float* from = v + r * v_stride + h * head_dim;
                float* to = packed + h * head_floats + (first + r) * panel;
                for (std::size_t d = 0; d < head_dim; ++d)
                    to[d / panel * panel * keys + d % panel] = from[d];
            }
    }

    static void attend(const float* q, std::size_t q_stride, std::size_t rows,
                       const float* packed_keys, const float* packed_values, std::size_t keys,
                       std::size_t heads, std::size_t head_dim, float scale, float* out,
                       std::size_t out_stride, float* workspace) {
        const std::size_t score_stride = panels(keys) * panel;
        const std::size_t key_floats = score_stride * head_dim,
                          value_floats = panels(head_dim) * panel * keys;
        for (std::size_t h = 0; h < heads; ++h) {
            for (std::size_t tile = 0; tile < rows; tile += tile_rows) {
                const std::size_t count = rows - tile < tile_rows ? rows - tile : tile_rows;
                const float* q_tile = q + tile * q_stride + h * head_dim;
                float* out_tile = out + tile * out_stride + h * head_dim;
                for (std::size_t p = 0; p < panels(keys); ++p)
                    for (std::size_t r = 0; r < count; r += micro_rows)
                        multiply_rows(count - r < micro_rows ? count - r : micro_rows,
                                      q_tile + r * q_stride, q_stride,
                                      packed_keys + h * key_floats + p * panel * head_dim, head_dim,
                                      workspace + r * score_stride + p * panel, score_stride);
                softmax<Arch>(workspace, score_stride, count, keys, scale);
                for (std::size_t p = 0; p < panels(head_dim); ++p)
                    for (std::size_t r = 0; r < count; r += micro_rows)
                        weighted_sum(count - r < micro_rows ? count - r : micro_rows,
                                     workspace + r * score_stride, score_stride,
                                     packed_values + h * value_floats + p * panel * keys, keys,
                                     out_tile + r * out_stride + p * panel, out_stride,
                                     head_dim - p * panel);
            }
        }
    }

  private:
    /// multiply_rows, writing no more than `cols` columns.
    static void weighted_sum(std::size_t rows, const float* weights, std::size_t stride,
                             const float* values, std::size_t keys, float* out,
                             std::size_t out_stride, std::size_t cols) {
        if (cols >= panel)
            return multiply_rows(rows, weights, stride, values, keys, out, out_stride);
        float block[micro_rows * panel];
        multiply_rows(rows, weights, stride, values, keys, block, panel);
        for (std::size_t r = 0; r < rows; ++r)
            for (std::size_t c = 0; c < cols; ++c) out[r * out_stride + c] = block[r * panel + c];
    }
};

}  // namespace vit::kernels
