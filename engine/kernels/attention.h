// Scaled dot-product attention (Vaswani et al., "Attention Is All You Need", 2017, equation 1) for
// a block of query rows. It computes one head and one tile of rows at a time, so scores stay in the
// cache, and memory does not grow with rows × keys. Every output row is computed by the same
// operations in the same order, whichever block it is in.
//
// A lane has 32 bits. It holds one float, or two bfloat16 that are neighbours along the sum. One
// instruction multiplies such pairs and adds the products in float32. Keys are packed in panels of
// two vectors of keys, [head][panel][lanes along head_dim][key]. Values are packed in panels of as
// many columns, [head][panel][lanes along the keys][column]. So the inner loops read both in order.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/kernels/kernels.h"
#include "engine/kernels/lanes.h"
#include "engine/kernels/softmax.h"

namespace vit::inline internal::kernels {

// T is the type of queries, keys, values and output. P is the type that is multiplied: also float32
// where T is bfloat16 and the CPU multiplies float32 faster.
template <class A, class T, class P = T>
struct Attention {
    using V = F32<A>;
    static constexpr std::size_t w = width<A>;
    static constexpr std::size_t panel = 2 * w;
    static constexpr std::size_t per_lane = sizeof(float) / sizeof(P);
    static constexpr bool converts = sizeof(T) != sizeof(P);
    // The accumulators fill the registers: 6 × 2 of 16, or 12 × 2 of 32.
    static constexpr std::size_t micro_rows = w == 16 ? 12 : 6;
    static constexpr std::size_t tile_rows = 24;

    static std::size_t panels(std::size_t n) { return (n + panel - 1) / panel; }
    static std::size_t lanes(std::size_t n) { return (n + per_lane - 1) / per_lane; }

    /// c[MR × vectors] = factor[MR] · a[MR × depth] · b[depth × panel]. Every element is one chain
    /// of fused multiply-adds. `depth` counts lanes. `factor` may be nullptr.
    template <std::size_t MR, std::size_t vectors, class Out>
    static void multiply(const P* a, std::size_t lda, const P* b, std::size_t depth, Out* c,
                         std::size_t ldc, const float* factor) {
        V sum[MR][vectors];
        for (std::size_t r = 0; r < MR; ++r)
            for (std::size_t v = 0; v < vectors; ++v) sum[r][v] = V(0.0F);
        for (std::size_t i = 0; i < depth; ++i, b += panel * per_lane) {
            V y[vectors];
            for (std::size_t v = 0; v < vectors; ++v) y[v] = load_lanes<A>(b + v * w * per_lane);
            for (std::size_t r = 0; r < MR; ++r) {
                const V x = broadcast_lane<A>(a + r * lda + i * per_lane);
                for (std::size_t v = 0; v < vectors; ++v)
                    sum[r][v] = multiply_lanes<A>(x, y[v], sum[r][v], P{});
            }
        }
        for (std::size_t r = 0; r < MR; ++r)
            for (std::size_t v = 0; v < vectors; ++v)
                store<A>(c + r * ldc + v * w,
                         factor == nullptr ? sum[r][v] : sum[r][v] * V(factor[r]));
    }

    /// For any number of rows up to `micro_rows`.
    template <std::size_t vectors, std::size_t MR = micro_rows, class Out>
    static void multiply_rows(std::size_t rows, const P* a, std::size_t lda, const P* b,
                              std::size_t depth, Out* c, std::size_t ldc, const float* factor) {
        if constexpr (MR > 1)
            if (rows < MR)
                return multiply_rows<vectors, MR - 1>(rows, a, lda, b, depth, c, ldc, factor);
        multiply<MR, vectors>(a, lda, b, depth, c, ldc, factor);
    }

    /// Number of elements of one head.
    static std::size_t key_elements(std::size_t keys, std::size_t head_dim) {
        return panels(keys) * panel * lanes(head_dim) * per_lane;
    }
    static std::size_t value_elements(std::size_t keys, std::size_t value_dim) {
        return panels(value_dim) * panel * lanes(keys) * per_lane;
    }
    static std::size_t packed_keys(std::size_t keys, std::size_t head_dim) {
        return key_elements(keys, head_dim) * sizeof(P);
    }
    static std::size_t packed_values(std::size_t keys, std::size_t value_dim) {
        return value_elements(keys, value_dim) * sizeof(P);
    }
    static std::size_t workspace(std::size_t keys, std::size_t head_dim) {
        return tile_rows * (panels(keys) * panel + (converts ? head_dim : 0));
    }

    static void pack_keys(Matrix<const T> k, std::size_t first, const AttentionSize& size,
                          void* to_packed) {
        P* const packed = static_cast<P*>(to_packed);
        const std::size_t head_dim = size.head_dim, rows = k.rows, k_stride = k.row,
                          depth = lanes(head_dim), head_size = key_elements(size.keys, head_dim);
        for (std::size_t h = 0; h < size.heads; ++h)
            for (std::size_t r = 0; r < rows;) {
                const std::size_t key = first + r;
                P* to =
                    packed + h * head_size + (key / panel * depth * panel + key % panel) * per_lane;
                const T* from = k.data + r * k_stride + h * head_dim;
                if (key % w == 0 && r + w <= rows) {
                    std::size_t d = 0;
                    for (; d + w <= depth; d += w)
                        transpose(from + d * per_lane, k_stride, to + d * panel * per_lane);
                    for (std::size_t i = 0; i < w; ++i)
                        pack_key(from + i * k_stride, d * per_lane, head_dim, to + i * per_lane);
                    r += w;
                } else {
                    pack_key(from, 0, head_dim, to);
                    ++r;
                }
            }
    }

    static void pack_values(Matrix<const T> v, std::size_t first, const AttentionSize& size,
                            void* to_packed) {
        P* const packed = static_cast<P*>(to_packed);
        const std::size_t keys = size.keys, heads = size.heads, value_dim = size.value_dim,
                          rows = v.rows, v_stride = v.row;
        const std::size_t head_size = value_elements(keys, value_dim),
                          panel_size = panel * lanes(keys) * per_lane;
        for (std::size_t r = 0; r < rows;) {
            const std::size_t key = first + r;
            // Keys that share a lane are packed together if this call has all of them.
            const bool whole = key % per_lane == 0 && r + per_lane <= rows;
            for (std::size_t h = 0; h < heads; ++h) {
                const T* from = v.data + r * v_stride + h * value_dim;
                P* to = packed + h * head_size + key / per_lane * panel * per_lane;
                for (std::size_t d = 0; d < value_dim; d += panel, to += panel_size) {
                    const std::size_t cols = value_dim - d < panel ? value_dim - d : panel;
                    if (whole && cols == panel)
                        interleave(from + d, v_stride, to);
                    else
                        for (std::size_t c = 0; c < cols; ++c)
                            for (std::size_t j = 0; j < (whole ? per_lane : 1); ++j)
                                to[c * per_lane + key % per_lane + j] =
                                    converted(from + d + c + j * v_stride);
                }
            }
            r += whole ? per_lane : 1;
            // The place beside an odd last key is part of the sums, so it must be zero.
            if (per_lane > 1 && first + r == keys && keys % per_lane != 0)
                for (std::size_t h = 0; h < heads; ++h)
                    for (std::size_t p = 0; p < panels(value_dim); ++p)
                        for (std::size_t c = 0; c < panel; ++c)
                            packed[h * head_size + p * panel_size +
                                   keys / per_lane * panel * per_lane + c * per_lane +
                                   keys % per_lane] = P(0);
        }
    }

    static void attend(Matrix<const T> q, const PackedHeads& packed, const AttentionSize& size,
                       float scale, Matrix<T> out, float* scores) {
        const auto [keys, heads, head_dim, value_dim] = size;
        const std::size_t score_stride = panels(keys) * panel;
        // Equal blocks of rows. A block of two or three would leave the multipliers idle.
        const std::size_t blocks = (q.rows + micro_rows - 1) / micro_rows,
                          block_rows = blocks == 0 ? 0 : (q.rows + blocks - 1) / blocks,
                          tile_step = tile_rows / micro_rows * block_rows;
        for (std::size_t h = 0; h < heads; ++h) {
            const Head head{
                static_cast<const P*>(packed.keys) + h * key_elements(keys, head_dim),
                static_cast<const P*>(packed.values) + h * value_elements(keys, value_dim),
                keys,
                head_dim,
                value_dim,
                scale,
                scores,
                score_stride,
                block_rows};
            for (std::size_t tile = 0; tile < q.rows; tile += tile_step) {
                const std::size_t count = q.rows - tile < tile_step ? q.rows - tile : tile_step;
                const T* queries = q.data + tile * q.row + h * head_dim;
                T* const to = out.data + tile * out.row + h * value_dim;
                if constexpr (converts) {
                    P* const wide = scores + tile_rows * score_stride;
                    for (std::size_t r = 0; r < count; ++r)
                        convert(queries + r * q.row, head.head_dim, wide + r * head.head_dim);
                    attend_tile(head, wide, head.head_dim, count, to, out.row);
                } else {
                    attend_tile(head, queries, q.row, count, to, out.row);
                }
            }
        }
    }

  private:
    /// One head, and the memory for its scores.
    struct Head {
        const P *keys, *values;  ///< packed
        std::size_t key_count, head_dim, value_dim;
        float scale;
        float* scores;
        std::size_t score_stride;
        std::size_t block_rows;  ///< computed together, up to micro_rows
    };

    static P converted(const T* x) {
        if constexpr (converts)
            return to_float<A>(*x);
        else
            return *x;
    }
    static void convert(const T* from, std::size_t count, P* to) {
        std::size_t i = 0;
        for (; i + w <= count; i += w) store<A>(to + i, load<A>(from + i));
        for (; i < count; ++i) to[i] = converted(from + i);
    }

    /// Transposes one vector of lanes from each of `w` rows into a panel.
    static void transpose(const T* from, std::size_t stride, P* to) {
        if constexpr (converts) {
            alignas(64) P rows[w * w];
            for (std::size_t i = 0; i < w; ++i) store<A>(rows + i * w, load<A>(from + i * stride));
            transpose_lanes<A>(rows, w, to, panel);
        } else {
            transpose_lanes<A>(from, stride, to, panel);
        }
    }
    /// Interleaves the rows that share a lane into the columns of a panel.
    static void interleave(const T* rows, std::size_t stride, P* to) {
        if constexpr (converts)
            convert(rows, panel, to);
        else
            interleave_rows<A, 2>(rows, stride, to);
    }

    static void pack_key(const T* from, std::size_t first, std::size_t head_dim, P* to) {
        for (std::size_t d = first; d < head_dim; ++d)
            to[d / per_lane * panel * per_lane + d % per_lane] = converted(from + d);
        if (per_lane > 1 && head_dim % per_lane != 0)
            to[head_dim / per_lane * panel * per_lane + head_dim % per_lane] = P(0);
    }

    /// Computes `count` rows of one head.
    static void attend_tile(const Head& head, const P* q, std::size_t q_stride, std::size_t count,
                            T* out, std::size_t out_stride) {
        const P *k_head = head.keys, *v_head = head.values;
        float* const scores = head.scores;
        const std::size_t keys = head.key_count, value_dim = head.value_dim,
                          score_stride = head.score_stride, depth = lanes(head.head_dim);
        const auto each_block = [&](auto block) {
            for (std::size_t r = 0; r < count; r += head.block_rows)
                block(r, count - r < head.block_rows ? count - r : head.block_rows);
        };
        for (std::size_t p = 0; p < panels(keys); ++p, k_head += depth * panel * per_lane) {
            float* to = scores + p * panel;
            const auto block = [&]<std::size_t vectors>(std::size_t r, std::size_t n) {
                multiply_rows<vectors>(n, q + r * q_stride, q_stride, k_head, depth,
                                       to + r * score_stride, score_stride, nullptr);
            };
            each_block([&](std::size_t r, std::size_t n) {
                if (keys - p * panel > w)
                    block.template operator()<2>(r, n);
                else
                    block.template operator()<1>(r, n);
            });
        }
        // The terms replace the scores. As bfloat16 they fill only the front half of a row.
        auto* terms = reinterpret_cast<P*>(scores);
        const std::size_t term_stride = score_stride * per_lane;
        float inverse[tile_rows];
        for (std::size_t r = 0; r < count; ++r) {
            P* to = terms + r * term_stride;
            inverse[r] = 1.0F / softmax_terms<A>(scores + r * score_stride, keys, head.scale, to);
            if (per_lane > 1 && keys % per_lane != 0) to[keys] = P(0);
        }
        const std::size_t key_lanes = lanes(keys);
        for (std::size_t p = 0; p < panels(value_dim);
             ++p, v_head += key_lanes * panel * per_lane) {
            const std::size_t cols = value_dim - p * panel;
            T* to = out + p * panel;
            each_block([&](std::size_t r, std::size_t n) {
                const P* weights = terms + r * term_stride;
                if (cols >= panel) {
                    multiply_rows<2>(n, weights, term_stride, v_head, key_lanes,
                                     to + r * out_stride, out_stride, inverse + r);
                    return;
                }
                T block[micro_rows * panel];
                multiply_rows<2>(n, weights, term_stride, v_head, key_lanes, block, panel,
                                 inverse + r);
                for (std::size_t i = 0; i < n; ++i)
                    for (std::size_t c = 0; c < cols; ++c)
                        to[(r + i) * out_stride + c] = block[i * panel + c];
            });
        }
    }
};

}  // namespace vit::inline internal::kernels
