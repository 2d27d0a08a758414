// A fully connected layer in int8: y = activation(row scale · column scale · sum + row shift ·
// column scale · sum of the column's weights + bias), or the same added to a residual.
//
// The sums of a block of rows by a few vectors of columns stay in registers while a chunk of the
// inputs is added. One instruction, or a short chain of them, multiplies four neighbouring inputs
// with four weights of every column and adds the products in int32. Weights are stored in the order
// in which they are read, [panel of columns][four inputs][column][4]; after the panels follow the
// numbers with which the sums of each column start. A chunk of a panel stays in the L1 cache for
// all rows. Between chunks, the sums are in the workspace.
//
// `Dot` is the instruction (int8_dots.h). The bytes of a row are number + 128, so a sum starts
// from −128 times the column's sum of weights. All of that is exact, so the bits of a row depend
// only on that row.
#pragma once

#include "engine/kernels/int8_dots.h"
#include "engine/kernels/int8_finish.h"

namespace vit::inline internal::kernels {

template <class A, class Dot>
struct Int8Linear {
    static constexpr std::size_t w = width<A>;
    static constexpr std::size_t vectors = Dot::vectors;
    static constexpr std::size_t block_rows = Dot::block_rows;
    static constexpr std::size_t panel_columns = vectors * w;
    static constexpr std::size_t most_chunk = 24 * 1024 / panel_columns / 64 * 64;  ///< inputs
    static constexpr std::size_t most_rows = 256;  ///< their x stays in the L2 cache

    static std::size_t min(std::size_t a, std::size_t b) { return a < b ? a : b; }
    static std::size_t divide_up(std::size_t n, std::size_t by) { return (n + by - 1) / by; }

    /// Inputs of a chunk: equal parts of all inputs.
    static std::size_t chunk_of(std::size_t padded) {
        return divide_up(divide_up(padded, divide_up(padded, most_chunk)), 64) * 64;
    }
    static std::size_t rows_at_once(std::size_t rows) {
        return divide_up(divide_up(rows, divide_up(rows, most_rows)), block_rows) * block_rows;
    }

    static std::size_t workspace(std::size_t rows) { return rows_at_once(rows) * panel_columns; }
    static std::size_t packed_bytes(std::size_t in, std::size_t panels) {
        return int8_packed_bytes<A>(in, panels * panel_columns);
    }

    static void pack(const std::int8_t* weights, std::size_t in, std::size_t panel,
                     std::size_t panels, std::int8_t* packed) {
        const std::size_t padded = int8_padded(in);
        std::int8_t* to = packed + panel * panel_columns * padded;
        for (std::size_t i = 0; i < padded; i += 4)
            for (std::size_t column = 0; column < panel_columns; ++column, to += 4)
                __builtin_memcpy(to, weights + column * padded + i, 4);
        pack_starts<A>(weights, padded, panel_columns, panel, panels, packed);
    }

    template <class Activation>
    static void run(const Int8LinearCall& call) {
        const std::size_t at_once = rows_at_once(call.x.rows);
        for (std::size_t row = 0; row < call.x.rows; row += at_once)
            run_rows<Activation>(call, row, min(row + at_once, call.x.rows));
    }

  private:
    /// Up to block_rows rows of one panel.
    struct Block {
        const std::uint8_t* x;
        std::size_t x_stride, inputs;
        const std::int8_t* weights;
        std::int32_t* sums;          ///< [rows][panel_columns]
        const std::int32_t* starts;  ///< [panel_columns], of the panel
        bool is_first;               ///< the sums start from `starts`, not from `sums`
        const char* next;            ///< weights that will be read later
        std::size_t next_lines;      ///< lines of `next` to prefetch per 32 inputs
        std::size_t row, panel;
    };

    template <class Activation>
    static void run_rows(const Int8LinearCall& call, std::size_t first, std::size_t last) {
        const std::size_t padded = int8_padded(call.x.cols), stride = int8_stride(call.x.cols),
                          chunk = chunk_of(padded), blocks = divide_up(last - first, block_rows);
        for (std::size_t panel = call.first_panel; panel < call.last_panel; ++panel) {
            const std::int8_t* const weights = call.weights + panel * panel_columns * padded;
            const std::int32_t* const starts = int8_starts<A>(call, panel_columns, panel);
            for (std::size_t k = 0; k < padded; k += chunk) {
                const std::size_t inputs = min(chunk, padded - k);
                // Each block of this chunk prefetches a part of the next chunk.
                const std::size_t lines = divide_up(panel_columns * 32 / 64, blocks);
                const char* next =
                    reinterpret_cast<const char*>(weights + (k + inputs) * panel_columns);
                for (std::size_t b = 0; b < blocks; ++b) {
                    const std::size_t row = first + b * block_rows;
                    const Block block{call.x.data + row * stride + k,
                                      stride,
                                      inputs,
                                      weights + k * panel_columns,
                                      call.workspace + b * block_rows * panel_columns,
                                      starts,
                                      k == 0,
                                      next,
                                      lines,
                                      row,
                                      panel};
                    next += inputs / 32 * lines * 64;
                    const std::size_t of = min(block_rows, last - row);
                    if (k + inputs == padded)
                        multiply_rows<Activation, true>(call, block, of);
                    else
                        multiply_rows<NoActivation, false>(call, block, of);
                }
            }
        }
    }

    /// Turns the number of rows into a template argument.
    template <class Activation, bool ends, std::size_t rows = block_rows>
    static void multiply_rows(const Int8LinearCall& call, const Block& block, std::size_t count) {
        if constexpr (rows > 0) {
            if (count == rows) return multiply<Activation, ends, rows>(call, block);
            multiply_rows<Activation, ends, rows - 1>(call, block, count);
        }
    }

    template <class Activation, bool ends, std::size_t rows>
    static void multiply(const Int8LinearCall& call, const Block& block) {
        typename Dot::Sums sums[rows][vectors];
        const std::int32_t* const before = block.is_first ? block.starts : block.sums;
        const std::size_t before_stride = block.is_first ? 0 : panel_columns;
        for_each_below<rows * vectors>([&](auto n) __attribute__((always_inline)) {
            constexpr std::size_t r = n() / vectors, v = n() % vectors;
            sums[r][v] = Dot::load(before + r * before_stride + v * w);
        });
        const std::int8_t* weights = block.weights;
        const char* next = block.next;
        for (std::size_t i = 0; i < block.inputs; i += 32) {
            for (std::size_t l = 0; l < block.next_lines; ++l, next += 64)
                __builtin_prefetch(next, 0, 2);
            for (std::size_t k = i; k < i + 32; k += 4, weights += panel_columns * 4)
                Dot::template add_products<rows>(sums, block.x + k, block.x_stride, weights);
        }
        for_each_below<rows * vectors>([&](auto n) __attribute__((always_inline)) {
            constexpr std::size_t r = n() / vectors, v = n() % vectors;
            Dot::store(block.sums + r * panel_columns + v * w, sums[r][v]);
        });
        if constexpr (ends) finish<Activation, rows>(call, block);
    }

    template <class Activation, std::size_t rows>
    static void finish(const Int8LinearCall& call, const Block& block) {
        Int8RowFactors factors[rows];
        for (std::size_t r = 0; r < rows; ++r) factors[r] = row_factors<A>(call.x, block.row + r);
        for (std::size_t v = 0; v < vectors; ++v) {
            const std::size_t column = block.panel * panel_columns + v * w;
            if (column >= call.end_column) return;
            const Int8Columns<A> columns(call, column, block.starts + v * w);
            for (std::size_t r = 0; r < rows; ++r)
                columns.template write<Activation>(call, block.row + r, column,
                                                   block.sums + r * panel_columns + v * w,
                                                   factors[r]);
        }
    }
};

template <class A, class Dot>
constexpr Int8Table make_int8_table(const char* name) noexcept {
    return make_int8_table_of<A, Int8Linear<A, Dot>>(name);
}

}  // namespace vit::inline internal::kernels
