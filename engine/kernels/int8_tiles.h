// A fully connected layer in int8 on tiles. It computes the same as int8_linear.h, and also gives
// the same bits.
//
// A block of sums is two by two tiles: 32 rows, 32 columns. A step adds 64 inputs. Rows of x are
// loaded where they are. Weights are stored in the order in which they are read, [panel of 32
// columns][step][2 tiles][16 groups of four inputs][16 columns][4]; after the panels follow the
// numbers with which the sums of each column start. A chunk of a panel stays in the L1 cache for
// all rows. The block before is finished while a block is multiplied, as in tile_linear.h. Where
// all inputs are one chunk, sums alternate between two places, so that they stay in L1 too.
#pragma once

#include "engine/kernels/int8_finish.h"
#include "engine/kernels/int8_rows.h"
#include "engine/kernels/tiles.h"

namespace vit::inline internal::kernels {

template <class A, class Tiles>
struct Int8TileLinear {
    static constexpr std::size_t w = width<A>;
    static constexpr std::size_t panel_columns = 2 * 16, block_rows = 2 * tile_rows;
    static constexpr std::size_t step = tile_bytes;           ///< inputs
    static constexpr std::size_t step_bytes = 2 * 16 * step;  ///< weights of a step
    static constexpr std::size_t sums_stride = panel_columns * sizeof(std::int32_t);
    static constexpr std::size_t most_chunk = 1024;  ///< inputs; their weights stay in L1
    static constexpr std::size_t most_rows = 256;    ///< their x stays in L2

    using Sums = Int8Sums<block_rows, panel_columns>;

    static std::size_t min(std::size_t a, std::size_t b) { return a < b ? a : b; }
    static std::size_t divide_up(std::size_t n, std::size_t by) { return (n + by - 1) / by; }
    static std::size_t chunk_of(std::size_t padded) {
        return divide_up(divide_up(padded, divide_up(padded, most_chunk)), step) * step;
    }
    static std::size_t rows_at_once(std::size_t rows) {
        return divide_up(divide_up(rows, divide_up(rows, most_rows)), block_rows) * block_rows;
    }

    /// The sums, and a copy of the rows of a tile that is not full.
    static std::size_t workspace(std::size_t rows) {
        return Sums::size(rows_at_once(rows)) + tile_rows * most_chunk / sizeof(std::int32_t);
    }
    static std::size_t packed_bytes(std::size_t in, std::size_t panels) {
        return int8_packed_bytes<A>(in, panels * panel_columns);
    }

    static void pack(const std::int8_t* weights, std::size_t in, std::size_t panel,
                     std::size_t panels, std::int8_t* packed) {
        const std::size_t padded = int8_padded(in);
        std::int8_t* to = packed + panel * panel_columns * padded;
        for (std::size_t i = 0; i < padded; i += step)
            for (std::size_t tile = 0; tile < 2; ++tile)
                for (std::size_t four = i; four < i + step; four += 4)
                    for (std::size_t column = 0; column < 16; ++column, to += 4)
                        __builtin_memcpy(to, weights + (tile * 16 + column) * padded + four, 4);
        pack_starts<A>(weights, padded, panel_columns, panel, panels, packed);
    }

    template <class Activation>
    static void run(const Int8LinearCall& call) {
        const std::size_t at_once = rows_at_once(call.x.rows);
        for (std::size_t row = 0; row < call.x.rows; row += at_once)
            run_rows<Activation>(call, row, min(row + at_once, call.x.rows));
    }

  private:
    using Finish = Int8Finish<A, panel_columns>;

    /// Finishes up to `count` rows of the block. Not inlined: the loop over the steps needs its
    /// registers.
    template <class Activation>
    __attribute__((noinline)) static void finish_rows(Finish& f, std::size_t count) {
        const std::size_t end = min(f.row + count, f.end_row);
        if (f.call.y == nullptr && f.vectors == Finish::most_vectors) {
            for (; f.row < end; ++f.row, f.sums += panel_columns)
                finish_row_in_pairs<Activation>(f);
            return;
        }
        for (; f.row < end; ++f.row, f.sums += panel_columns) {
            const Int8RowFactors of_row = row_factors<A>(f.call.x, f.row);
            for (std::size_t v = 0; v < f.vectors; ++v)
                f.columns[v].template write<Activation>(f.call, f.row, f.column + v * w,
                                                        f.sums + v * w, of_row);
        }
    }
    template <class Activation>
    static void finish_row_in_pairs(const Finish& f) {
        const Int8RowFactors of_row = row_factors<A>(f.call.x, f.row);
        BFloat16* const y = f.call.y_bf16 + f.row * f.call.y_bf16_stride + f.column;
        for (std::size_t v = 0; v < Finish::most_vectors; v += 2)
            store_two<A>(y + v * w, f.columns[v].template value<Activation>(f.sums + v * w, of_row),
                         f.columns[v + 1].template value<Activation>(f.sums + (v + 1) * w, of_row));
    }

    /// Two tiles of rows, which may overlap, by one panel. `from`: the sums before, with rows
    /// `from_stride` bytes apart.
    struct Product {
        const std::uint8_t *a0, *a1;
        std::size_t a_stride;
        const std::int8_t* b;
        std::size_t steps;
        const std::int32_t *from0, *from1;
        std::size_t from_stride;
        std::int32_t *to0, *to1;
        const char* next;        ///< weights that will be read later
        std::size_t next_lines;  ///< lines of `next` to prefetch per step
    };

    template <class Activation>
    static void run_rows(const Int8LinearCall& call, std::size_t first, std::size_t last) {
        Tiles tiles;
        const std::size_t padded = int8_padded(call.x.cols), stride = int8_stride(call.x.cols),
                          chunk = chunk_of(padded), blocks = divide_up(last - first, block_rows);
        auto* const copy = reinterpret_cast<std::uint8_t*>(call.workspace +
                                                           Sums::size(rows_at_once(last - first)));
        Finish finish{call};
        Sums places{call.workspace, chunk == padded};
        for (std::size_t panel = call.first_panel; panel < call.last_panel; ++panel) {
            const std::int8_t* const weights = call.weights + panel * panel_columns * padded;
            const std::int32_t* const starts = int8_starts<A>(call, panel_columns, panel);
            for (std::size_t k = 0; k < padded; k += chunk) {
                const std::size_t inputs = min(chunk, padded - k), steps = inputs / step;
                const std::size_t lines = divide_up(step_bytes / 64, blocks);
                const char* next =
                    reinterpret_cast<const char*>(weights + (k + inputs) * panel_columns);
                for (std::size_t row = first; row < last; row += block_rows) {
                    const std::size_t count = min(block_rows, last - row);
                    // The last tile ends with the last row. So it may begin with rows of the tile
                    // before, whose results are then computed twice.
                    const std::size_t second = count > tile_rows ? count - tile_rows : 0;
                    const std::size_t before =
                        count < tile_rows && row >= tile_rows ? tile_rows - count : 0;
                    const std::uint8_t* x = call.x.data + (row - before) * stride + k;
                    std::size_t x_stride = stride;
                    if (count + before < tile_rows) {
                        for (std::size_t r = 0; r < count; ++r)
                            __builtin_memcpy(copy + r * inputs, x + r * stride, inputs);
                        __builtin_memset(copy + count * inputs, 0, (tile_rows - count) * inputs);
                        x = copy;
                        x_stride = inputs;
                    }
                    std::int32_t* const sums = places.next(row - first);
                    const Product product{x,
                                          x + second * x_stride,
                                          x_stride,
                                          weights + k * panel_columns,
                                          steps,
                                          k == 0 ? starts : sums,
                                          k == 0 ? starts : sums + second * panel_columns,
                                          k == 0 ? 0 : sums_stride,
                                          sums,
                                          sums + second * panel_columns,
                                          next,
                                          lines};
                    next += steps * lines * 64;
                    if (second > 0)
                        multiply<2, Activation>(tiles, product, finish);
                    else
                        multiply<1, Activation>(tiles, product, finish);
                    if (k + inputs == padded)
                        finish.begin(row, count, panel, sums + before * panel_columns);
                }
            }
        }
        finish_rows<Activation>(finish, block_rows);
    }

    template <int row_tiles, class Activation>
    static void multiply(Tiles& tiles, Product p, Finish& finish) {
        tiles.template load<0>(p.from0, p.from_stride);
        tiles.template load<1>(p.from0 + 16, p.from_stride);
        if constexpr (row_tiles == 2) {
            tiles.template load<2>(p.from1, p.from_stride);
            tiles.template load<3>(p.from1 + 16, p.from_stride);
        }
        const std::size_t rows = divide_up(block_rows, p.steps);
        for (std::size_t s = 0; s < p.steps; ++s) {
            tiles.template load_streaming<4>(p.a0, p.a_stride);
            tiles.template load<6>(p.b, tile_bytes);
            tiles.template load<7>(p.b + step_bytes / 2, tile_bytes);
            tiles.template multiply_u8s8<0, 4, 6>();
            if constexpr (row_tiles == 2) tiles.template load_streaming<5>(p.a1, p.a_stride);
            tiles.template multiply_u8s8<1, 4, 7>();
            if constexpr (row_tiles == 2) {
                tiles.template multiply_u8s8<2, 5, 6>();
                tiles.template multiply_u8s8<3, 5, 7>();
            }
            p.a0 += step;
            p.a1 += step;
            p.b += step_bytes;
            for (std::size_t l = 0; l < p.next_lines; ++l, p.next += 64)
                __builtin_prefetch(p.next, 0, 2);
            finish_rows<Activation>(finish, rows);
        }
        // The sums of the block before may be where these sums go.
        finish_rows<Activation>(finish, block_rows);
        tiles.template store<0>(p.to0, sums_stride);
        tiles.template store<1>(p.to0 + 16, sums_stride);
        if constexpr (row_tiles == 2) {
            tiles.template store<2>(p.to1, sums_stride);
            tiles.template store<3>(p.to1 + 16, sums_stride);
        }
    }
};

template <class A, class Tiles>
constexpr Int8Table make_int8_tile_table(const char* name, bool registers) noexcept {
    Int8Table table = make_int8_table_of<A, Int8TileLinear<A, Tiles>>(name);
    table.linears.registers = registers;
    return table;
}

}  // namespace vit::inline internal::kernels
