// A fully connected layer on tiles: y = activation(x Wᵀ + bias), or y = residual + x Wᵀ + bias.
//
// A block of sums is two by two tiles: 32 rows, 32 columns. A step adds 32 inputs. x is stored in
// panels of 32 rows, [panel][step][row][32 inputs]. Weights are stored in the order in which they
// are read, [superblock of 24 steps][panel of 32 columns][step][2 tiles][16 pairs of inputs][16
// columns × 2].
//
// Within a superblock, the weights of each column panel are multiplied with all pairs of row tiles.
// The L1 cache keeps most of these weights. The other weights and x are loaded with the streaming
// hint, so that they do not displace the weights in L1. They come from the L2 cache, which holds a
// superblock of x. Sums therefore go to memory once per superblock. The alternative, once per chunk
// that fits into L1, took a third more time. The bias, activation and rounding of a block are
// computed during the products of the next block. Measured in docs/performance-experiments.md.
//
// The sum of an output adds its inputs in order in one chain, so the bits of a row depend only on
// that row.
#pragma once

#include "engine/kernels/fused_linears.h"
#include "engine/kernels/matrix.h"
#include "engine/kernels/tiles.h"

namespace vit::inline internal::kernels {

template <class A, class Tiles>
struct TileLinear {
    static constexpr std::size_t panel_columns = panel_rows;
    static constexpr std::size_t step = 32;                ///< inputs
    static constexpr std::size_t step_size = 32 * step;    ///< elements of a panel's step
    static constexpr std::size_t tile_size = 16 * step;    ///< elements of a tile of bfloat16
    static constexpr std::size_t superblock = 24;          ///< steps
    static constexpr std::size_t kept = 18;                ///< steps of weights that stay in L1
    static constexpr std::size_t most_row_tiles = 2 * 13;  ///< their x and sums fit into L2
    static constexpr std::size_t block = panel_rows * panel_rows;  ///< sums of 2 × 2 tiles

    static std::size_t min(std::size_t a, std::size_t b) { return a < b ? a : b; }
    static std::size_t divide_up(std::size_t n, std::size_t by) { return (n + by - 1) / by; }

    /// Number of row tiles that are computed at once.
    static std::size_t row_tiles_at_once(std::size_t row_tiles) {
        const std::size_t blocks = divide_up(row_tiles, most_row_tiles);
        return round_up_even(divide_up(row_tiles, blocks));
    }
    static std::size_t round_up_even(std::size_t n) { return (n + 1) / 2 * 2; }

    static std::size_t workspace(std::size_t rows, std::size_t in, std::size_t column_panels) {
        // Rows that start inside a tile touch one tile more.
        const std::size_t pairs = row_tiles_at_once(divide_up(rows, tile_rows) + 1) / 2;
        return 2 * block + (divide_up(in, step) > superblock ? pairs * column_panels * block : 0);
    }

    static void pack(const BFloat16* rows, std::size_t in, std::size_t panel, std::size_t panels,
                     BFloat16* packed) {
        const std::size_t steps = divide_up(in, step), stride = steps * step;
        for (std::size_t first = 0; first < steps; first += superblock) {
            const std::size_t count = min(superblock, steps - first);
            BFloat16* to = packed + (first * panels + panel * count) * step_size;
            for (std::size_t s = first; s < first + count; ++s)
                for (std::size_t tile = 0; tile < 2; ++tile, to += tile_size)
                    for (std::size_t column = 0; column < 16; column += width<A>)
                        for (std::size_t pair = 0; pair < 16; pair += width<A>)
                            transpose_lanes<A>(
                                rows + (tile * 16 + column) * stride + s * step + 2 * pair, stride,
                                to + (pair * 16 + column) * 2, 16);
        }
    }

    template <class Activation>
    static void run(const FusedLinearCall<BFloat16>& call) {
        const std::size_t first = call.x.first / tile_rows,
                          last = divide_up(call.x.first + call.x.rows, tile_rows);
        const std::size_t at_once = row_tiles_at_once(last - first);
        for (std::size_t tile = first; tile < last; tile += at_once)
            run_rows<Activation>(call, tile, min(tile + at_once, last));
    }

  private:
    /// Writes the requested rows of a block, a few at a time.
    template <class Activation>
    struct Finish {
        const FusedLinearCall<BFloat16>& call;
        std::size_t row = 0, end = 0, top = 0, column = 0;
        const float* sums = nullptr;

        void begin(std::size_t tile, std::size_t panel, const float* c) {
            top = tile * tile_rows;
            row = call.x.first > top ? call.x.first : top;
            end = min(top + 2 * tile_rows, call.x.first + call.x.rows);
            column = panel * panel_rows;
            sums = c;
        }
        void some() {
            for (int i = 0; i < 2 && row < end; ++i) write(row++);
        }
        void rest() {
            while (row < end) write(row++);
        }

        void write(std::size_t r) const {
            const float* const c = sums + (r - top) / tile_rows * 512 + (r - top) % tile_rows * 16;
            const float* const bias = call.bias + column;
            const std::size_t columns = min(panel_rows, call.end_column - column);
            const auto value = [&](std::size_t i) {
                return Activation::template apply<A, BFloat16>(load<A>(c + i / 16 * 256 + i % 16) +
                                                               load<A>(bias + i));
            };
            const std::size_t to_row = r - call.x.first;
            if (call.y == nullptr) {
                BFloat16* const y = at<A>(row_of<A>(call.y_bf16, to_row), column);
                if (columns == panel_rows) {
                    for (std::size_t i = 0; i < panel_rows; i += 2 * width<A>)
                        store_two<A>(y + i, value(i), value(i + width<A>));
                } else {
                    for (std::size_t i = 0; i < columns; i += width<A>) store<A>(y + i, value(i));
                }
                return;
            }
            float* const y = call.y + to_row * call.y_stride + column;
            if (call.residual == nullptr) {
                for (std::size_t i = 0; i < columns; i += width<A>) store<A>(y + i, value(i));
            } else {
                const float* const x = call.residual + to_row * call.residual_stride + column;
                for (std::size_t i = 0; i < columns; i += width<A>)
                    store<A>(y + i, load<A>(x + i) + value(i));
            }
        }
    };

    /// Computes row tiles [first, last).
    template <class Activation>
    static void run_rows(const FusedLinearCall<BFloat16>& call, std::size_t first,
                         std::size_t last) {
        Tiles tiles;
        const std::size_t steps = divide_up(call.x.cols, step), pairs = divide_up(last - first, 2),
                          own_panels = call.last_panel - call.first_panel;
        // The sums of the previous block are finished while the next block is multiplied.
        float* const finished = call.workspace;
        float* const sums = call.workspace + 2 * block;
        Finish<Activation> finish{call};
        std::size_t turn = 0;
        for (std::size_t s = 0; s < steps; s += superblock) {
            const std::size_t count = min(superblock, steps - s);
            const bool starts = s == 0, ends = s + count == steps;
            for (std::size_t panel = call.first_panel; panel < call.last_panel; ++panel) {
                const BFloat16* const weights =
                    call.weights + (s * call.panels + panel * count) * step_size;
                // What will be read next. Each step here prefetches a part of it.
                Prefetch next{reinterpret_cast<const char*>(weights + count * step_size),
                              divide_up(panel_rows, pairs < 4 ? 4 : pairs)};
                for (std::size_t pair = 0; pair < pairs; ++pair) {
                    const std::size_t tile = first + 2 * pair;
                    float* const c = sums + (pair * own_panels + panel - call.first_panel) * block;
                    float* const to = ends ? finished + turn * block : c;
                    const Product product{row_tile(call.x, tile) + s * step_size,
                                          row_tile(call.x, tile + 1) + s * step_size,
                                          weights,
                                          count,
                                          starts ? nullptr : c,
                                          to};
                    if (tile + 1 < last)
                        multiply<2>(tiles, product, next, finish);
                    else
                        multiply<1>(tiles, product, next, finish);
                    finish.rest();
                    if (ends) {
                        finish.begin(tile, panel, to);
                        turn = 1 - turn;
                    }
                }
            }
        }
        finish.rest();
    }

    struct Prefetch {
        const char* p;
        std::size_t lines;  ///< per step
        void operator()() {
            for (std::size_t i = 0; i < lines; ++i, p += 64) __builtin_prefetch(p, 0, 2);
        }
    };

    static const BFloat16* row_tile(const Matrix<const BFloat16>& x, std::size_t tile) {
        return x.data + tile / 2 * x.panel + tile % 2 * tile_size;
    }

    /// Sums [row tile][column tile][16][16]: `to` = `from` + the products of `steps` steps. Where
    /// `from` is nullptr, it counts as 0.
    struct Product {
        const BFloat16 *a0, *a1, *b;
        std::size_t steps;
        const float* from;
        float* to;
    };

    template <int row_tiles, class Activation>
    static void multiply(Tiles& tiles, Product p, Prefetch& next, Finish<Activation>& finish) {
        if (p.from == nullptr) {
            tiles.template zero<0>();
            tiles.template zero<1>();
            if constexpr (row_tiles == 2) {
                tiles.template zero<2>();
                tiles.template zero<3>();
            }
        } else {
            tiles.template load<0>(p.from, tile_bytes);
            tiles.template load<1>(p.from + 256, tile_bytes);
            if constexpr (row_tiles == 2) {
                tiles.template load<2>(p.from + 512, tile_bytes);
                tiles.template load<3>(p.from + 768, tile_bytes);
            }
        }
        const std::size_t keep = min(p.steps, kept);
        for (std::size_t k = 0; k < keep; ++k) {
            add_step<row_tiles, true>(tiles, p);
            next();
            finish.some();
        }
        for (std::size_t k = keep; k < p.steps; ++k) {
            add_step<row_tiles, false>(tiles, p);
            next();
        }
        tiles.template store<0>(p.to, tile_bytes);
        tiles.template store<1>(p.to + 256, tile_bytes);
        if constexpr (row_tiles == 2) {
            tiles.template store<2>(p.to + 512, tile_bytes);
            tiles.template store<3>(p.to + 768, tile_bytes);
        }
    }

    template <int row_tiles, bool keep_weights>
    static void add_step(Tiles& tiles, Product& p) {
        tiles.template load_streaming<4>(p.a0, tile_bytes);
        if constexpr (keep_weights) {
            tiles.template load<6>(p.b, tile_bytes);
            tiles.template load<7>(p.b + tile_size, tile_bytes);
        } else {
            tiles.template load_streaming<6>(p.b, tile_bytes);
            tiles.template load_streaming<7>(p.b + tile_size, tile_bytes);
        }
        tiles.template multiply_bf16<0, 4, 6>();
        if constexpr (row_tiles == 2) tiles.template load_streaming<5>(p.a1, tile_bytes);
        tiles.template multiply_bf16<1, 4, 7>();
        if constexpr (row_tiles == 2) {
            tiles.template multiply_bf16<2, 5, 6>();
            tiles.template multiply_bf16<3, 5, 7>();
        }
        p.a0 += step_size;
        p.a1 += step_size;
        p.b += step_size;
    }
};

template <class A, class Tiles>
constexpr FusedLinears<BFloat16> tile_linears(bool registers) noexcept {
    FusedLinears<BFloat16> all = fused_linears<TileLinear<A, Tiles>, BFloat16>();
    all.registers = registers;
    return all;
}

}  // namespace vit::inline internal::kernels
