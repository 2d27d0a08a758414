// Scaled dot-product attention (Vaswani et al., "Attention Is All You Need", 2017, equation 1) on
// tiles. It handles 32 query rows of one head at a time. Scores, softmax (in float32) and weighted
// sum stay in the cache. Every output row is computed by the same operations in the same order,
// whichever rows are beside it.
//
// Both products read their second matrix as a linear reads its weights (tile_linear.h). Keys:
// [head][panel of 32 keys][step of 32 inputs][2 tiles][16 pairs of inputs][16 keys × 2]. Values:
// [head][panel of 32 columns][step of 32 keys][2 tiles][16 pairs of keys][16 columns × 2].
#pragma once

#include "engine/kernels/matrix.h"
#include "engine/kernels/softmax.h"
#include "engine/kernels/tiles.h"

namespace vit::inline internal::kernels {

template <class A, class Tiles>
struct TileAttention {
    static constexpr std::size_t panel = panel_rows;      ///< rows, keys, columns
    static constexpr std::size_t tile_size = 16 * panel;  ///< elements of a tile of bfloat16
    static constexpr std::size_t step_size = 2 * tile_size;

    static std::size_t panels(std::size_t n) { return (n + panel - 1) / panel; }
    static std::size_t min(std::size_t a, std::size_t b) { return a < b ? a : b; }
    /// Number of elements of one head.
    static std::size_t elements(std::size_t keys, std::size_t columns) {
        return panels(keys) * panels(columns) * step_size;
    }
    static std::size_t packed_keys(std::size_t keys, std::size_t head_dim) {
        return elements(keys, head_dim) * sizeof(BFloat16);
    }
    static std::size_t packed_values(std::size_t keys, std::size_t value_dim) {
        return elements(keys, value_dim) * sizeof(BFloat16);
    }
    static std::size_t workspace(std::size_t keys, std::size_t head_dim) {
        return panel * panels(keys) * panel + panel * panel +
               panels(head_dim) * step_size * sizeof(BFloat16) / sizeof(float);
    }

    /// Offset of pair `pair` of key `column` in step `step`, where a panel has `steps` steps.
    static std::size_t place(std::size_t steps, std::size_t column, std::size_t step,
                             std::size_t pair) {
        return (column / panel * steps + step) * step_size + column % panel / 16 * tile_size +
               pair * panel + column % 16 * 2;
    }

    static void pack_keys(Matrix<const BFloat16> k, std::size_t first, const AttentionSize& size,
                          void* packed) {
        constexpr std::size_t w = width<A>;
        const std::size_t head_dim = size.head_dim, rows = k.rows, k_stride = k.row,
                          steps = panels(head_dim), whole = head_dim / panel;
        for (std::size_t h = 0; h < size.heads; ++h) {
            BFloat16* const head =
                static_cast<BFloat16*>(packed) + h * elements(size.keys, head_dim);
            for (std::size_t r = 0; r < rows;) {
                const std::size_t key = first + r;
                const BFloat16* const from = k.data + r * k_stride + h * head_dim;
                const bool many = key % w == 0 && r + w <= rows;
                if (many) {
                    for (std::size_t s = 0; s < whole; ++s)
                        pack_step(from + s * panel, k_stride, head + place(steps, key, s, 0));
                    if (whole < steps) {
                        BFloat16 rest[w * panel] = {};
                        for (std::size_t i = 0; i < w; ++i)
                            __builtin_memcpy(rest + i * panel, from + i * k_stride + whole * panel,
                                             head_dim % panel * sizeof(BFloat16));
                        pack_step(rest, panel, head + place(steps, key, whole, 0));
                    }
                } else {
                    for (std::size_t d = 0; d < steps * panel; d += 2) {
                        BFloat16* const to = head + place(steps, key, d / panel, d % panel / 2);
                        to[0] = d < head_dim ? from[d] : BFloat16(0);
                        to[1] = d + 1 < head_dim ? from[d + 1] : BFloat16(0);
                    }
                }
                r += many ? w : 1;
            }
        }
    }

    static void pack_values(Matrix<const BFloat16> v, std::size_t first, const AttentionSize& size,
                            void* packed) {
        constexpr std::size_t w = width<A>;
        const std::size_t keys = size.keys, value_dim = size.value_dim, rows = v.rows,
                          v_stride = v.row, steps = panels(keys), whole = value_dim - value_dim % w;
        for (std::size_t h = 0; h < size.heads; ++h) {
            BFloat16* const head = static_cast<BFloat16*>(packed) + h * elements(keys, value_dim);
            const auto to = [&](std::size_t key, std::size_t column) {
                return head + place(steps, column, key / panel, key % panel / 2) + key % 2;
            };
            for (std::size_t r = 0; r < rows;) {
                const std::size_t key = first + r;
                const BFloat16* const from = v.data + r * v_stride + h * value_dim;
                // Two keys that share a pair are packed together if this call has both.
                const bool both = key % 2 == 0 && r + 1 < rows;
                std::size_t c = 0;
                if (both)
                    for (; c < whole; c += w) interleave_vector<A>(from + c, v_stride, to(key, c));
                for (; c < value_dim; ++c) {
                    *to(key, c) = from[c];
                    if (both) *to(key + 1, c) = from[v_stride + c];
                }
                r += both ? 2 : 1;
            }
            // The places after the last key are part of the sums, so they must be zero.
            if (first + rows == keys)
                for (std::size_t key = keys; key < steps * panel; ++key)
                    for (std::size_t c = 0; c < panels(value_dim) * panel; ++c)
                        *to(key, c) = BFloat16(0);
        }
    }

    static void attend(Matrix<const BFloat16> q, const PackedHeads& packed,
                       const AttentionSize& size, float scale, Matrix<BFloat16> out,
                       float* memory) {
        const auto [keys, heads, head_dim, value_dim] = size;
        const std::size_t rows = q.rows;
        const Scratch scratch{
            memory, memory + panel * panels(keys) * panel,
            reinterpret_cast<BFloat16*>(memory + panel * panels(keys) * panel + panel * panel),
            panels(keys) * panel};
        // Rows in panels are already tiles where they start at the start of a panel.
        const bool in_place = q.segment != panel && q.first % panel == 0 && head_dim % panel == 0;
        for (std::size_t h = 0; h < heads; ++h) {
            const BFloat16* const k_head =
                static_cast<const BFloat16*>(packed.keys) + h * elements(keys, head_dim);
            const BFloat16* const v_head =
                static_cast<const BFloat16*>(packed.values) + h * elements(keys, value_dim);
            for (std::size_t r = 0; r < rows; r += panel) {
                const std::size_t count = min(panel, rows - r);
                const BFloat16* queries = scratch.q;
                if (in_place)
                    queries =
                        q.data + (q.first + r) / panel * q.panel + h * head_dim / panel * q.segment;
                else
                    copy_queries(q, r, count, h * head_dim, head_dim, scratch.q);
                multiply_keys(queries, count, k_head, keys, head_dim, scratch);
                float inverse[panel];
                for (std::size_t i = 0; i < count; ++i)
                    inverse[i] =
                        1.0F / make_terms(scratch.scores + i * scratch.stride, keys, scale);
                for (std::size_t column = 0; column < value_dim; column += panel) {
                    const std::size_t columns = min(panel, value_dim - column);
                    multiply_values(v_head + column / panel * panels(keys) * step_size, count,
                                    columns, keys, scratch);
                    for (std::size_t i = 0; i < count; ++i)
                        write(scratch.block + i * panel, columns, inverse[i], row_of<A>(out, r + i),
                              h * value_dim + column);
                }
            }
        }
    }

  private:
    struct Scratch {
        float* scores;       ///< [32][stride]; later the terms, in the front half of each row
        float* block;        ///< [32][32]
        BFloat16* q;         ///< a panel of one head's queries
        std::size_t stride;  ///< of scores
    };

    /// A matrix from which tiles are loaded. `row_tile` and `step` are the distances in elements
    /// from one tile of rows, or step, to the next. `row_bytes` is the distance from row to row.
    struct Left {
        const BFloat16* data;
        std::size_t row_tile, step, row_bytes;
    };

    /// c [row tiles · 16, column tiles · 16] = a · b. Rows of c are `row_bytes` apart.
    template <int row_tiles, int column_tiles>
    static void product(const Left& a, const BFloat16* b, std::size_t steps, float* c,
                        std::size_t row_bytes) {
        Tiles tiles;
        tiles.template zero<0>();
        if constexpr (column_tiles == 2) tiles.template zero<1>();
        if constexpr (row_tiles == 2) tiles.template zero<2>();
        if constexpr (row_tiles == 2 && column_tiles == 2) tiles.template zero<3>();
        const BFloat16* from = a.data;
        for (std::size_t s = 0; s < steps; ++s, from += a.step, b += step_size) {
            tiles.template load<4>(from, a.row_bytes);
            tiles.template load<6>(b, tile_bytes);
            tiles.template multiply_bf16<0, 4, 6>();
            if constexpr (column_tiles == 2) {
                tiles.template load<7>(b + tile_size, tile_bytes);
                tiles.template multiply_bf16<1, 4, 7>();
            }
            if constexpr (row_tiles == 2) {
                tiles.template load<5>(from + a.row_tile, a.row_bytes);
                tiles.template multiply_bf16<2, 5, 6>();
                if constexpr (column_tiles == 2) tiles.template multiply_bf16<3, 5, 7>();
            }
        }
        float* const lower = c + 16 * row_bytes / sizeof(float);
        tiles.template store<0>(c, row_bytes);
        if constexpr (column_tiles == 2) tiles.template store<1>(c + 16, row_bytes);
        if constexpr (row_tiles == 2) tiles.template store<2>(lower, row_bytes);
        if constexpr (row_tiles == 2 && column_tiles == 2)
            tiles.template store<3>(lower + 16, row_bytes);
    }

    /// The product for up to 32 rows and columns. Skips tiles that contain none of them.
    static void product(std::size_t rows, std::size_t columns, const Left& a, const BFloat16* b,
                        std::size_t steps, float* c, std::size_t row_bytes) {
        if (rows > 16)
            columns > 16 ? product<2, 2>(a, b, steps, c, row_bytes)
                         : product<2, 1>(a, b, steps, c, row_bytes);
        else
            columns > 16 ? product<1, 2>(a, b, steps, c, row_bytes)
                         : product<1, 1>(a, b, steps, c, row_bytes);
    }

    /// Packs one step of the inputs of one vector of keys.
    static void pack_step(const BFloat16* from, std::size_t stride, BFloat16* to) {
        for (std::size_t pair = 0; pair < 16; pair += width<A>)
            transpose_lanes<A>(from + 2 * pair, stride, to + pair * panel, 16);
    }

    /// Copies `count` elements of a row, starting at column `column`.
    static void copy_from(const Row<const BFloat16>& row, std::size_t column, std::size_t count,
                          BFloat16* to) {
        for (std::size_t done = 0; done < count;) {
            const std::size_t n = min(count - done, panel - (column + done) % panel);
            __builtin_memcpy(to + done, at<A>(row, column + done), n * sizeof(BFloat16));
            done += n;
        }
    }
    static void copy_to(const BFloat16* from, std::size_t count, const Row<BFloat16>& row,
                        std::size_t column) {
        for (std::size_t done = 0; done < count;) {
            const std::size_t n = min(count - done, panel - (column + done) % panel);
            __builtin_memcpy(at<A>(row, column + done), from + done, n * sizeof(BFloat16));
            done += n;
        }
    }

    /// Copies rows of one head to a panel, and fills the columns after the head with zeros.
    static void copy_queries(const Matrix<const BFloat16>& q, std::size_t first, std::size_t count,
                             std::size_t column, std::size_t head_dim, BFloat16* to) {
        for (std::size_t i = 0; i < count; ++i) {
            const Row<const BFloat16> row = row_of<A>(q, first + i);
            for (std::size_t d = 0; d < head_dim; d += panel) {
                BFloat16* const line = to + d / panel * step_size + i * panel;
                const std::size_t n = min(panel, head_dim - d);
                copy_from(row, column + d, n, line);
                __builtin_memset(line + n, 0, (panel - n) * sizeof(BFloat16));
            }
        }
    }

    static void multiply_keys(const BFloat16* queries, std::size_t count, const BFloat16* k_head,
                              std::size_t keys, std::size_t head_dim, const Scratch& scratch) {
        const std::size_t steps = panels(head_dim);
        const Left left{queries, tile_size, step_size, tile_bytes};
        for (std::size_t key = 0; key < keys; key += panel, k_head += steps * step_size)
            product(count, keys - key, left, k_head, steps, scratch.scores + key,
                    scratch.stride * sizeof(float));
    }

    /// Replaces a row of scores by the terms of its softmax in bfloat16, with zeros after the last
    /// key. Returns the sum of the terms.
    static float make_terms(float* scores, std::size_t keys, float scale) {
        auto* const terms = reinterpret_cast<BFloat16*>(scores);
        const float sum = softmax_terms<A>(scores, keys, scale, terms);
        for (std::size_t key = keys; key < panels(keys) * panel; ++key) terms[key] = BFloat16(0);
        return sum;
    }

    static void multiply_values(const BFloat16* values, std::size_t count, std::size_t columns,
                                std::size_t keys, const Scratch& scratch) {
        const std::size_t row_bytes = scratch.stride * sizeof(float);
        const Left left{reinterpret_cast<const BFloat16*>(scratch.scores),
                        16 * row_bytes / sizeof(BFloat16), panel, row_bytes};
        product(count, columns, left, values, panels(keys), scratch.block, panel * sizeof(float));
    }

    /// Writes some columns of an output row.
    static void write(const float* sums, std::size_t columns, float inverse,
                      const Row<BFloat16>& row, std::size_t column) {
        constexpr std::size_t w = width<A>;
        const F32<A> factor(inverse);
        if (column % w == 0 && columns % w == 0) {
            for (std::size_t c = 0; c < columns; c += w)
                store<A>(at<A>(row, column + c), load<A>(sums + c) * factor);
            return;
        }
        BFloat16 rounded[panel];
        for (std::size_t c = 0; c < panel; c += w)
            store<A>(rounded + c, load<A>(sums + c) * factor);
        copy_to(rounded, columns, row, column);
    }
};

}  // namespace vit::inline internal::kernels
