// A fully connected layer in int8: y = activation(row scale · column scale · sum + row shift ·
// column scale · sum of the column's weights + bias), or the same added to a residual.
//
// The sums of a block of rows by a few vectors of columns stay in registers while a chunk of the
// inputs is added. One instruction, or a short chain of them, multiplies four neighbouring inputs
// with four weights of every column and adds the products in int32. Weights are stored in the order
// in which they are read, [panel of columns][four inputs][column][4]; after the panels follow the
// numbers with which the sums of each column start. A chunk of a panel stays in the L1 cache for
// all rows. Between chunks, the sums are in the workspace. The outputs of a block of rows are
// written while the next block is computed.
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
    static constexpr std::size_t most_chunk =
        Dot::chunk_bytes / panel_columns / 64 * 64;  ///< inputs
    static constexpr std::size_t group = 32;         ///< inputs between two other pieces of work
    static constexpr std::size_t most_rows = 256;    ///< their x stays in the L2 cache

    using Sums = Int8Sums<block_rows, panel_columns>;

    static std::size_t min(std::size_t a, std::size_t b) { return a < b ? a : b; }
    static std::size_t divide_up(std::size_t n, std::size_t by) { return (n + by - 1) / by; }

    /// Inputs of a chunk: equal parts of all inputs.
    static std::size_t chunk_of(std::size_t padded) {
        return divide_up(divide_up(padded, divide_up(padded, most_chunk)), 64) * 64;
    }
    static std::size_t rows_at_once(std::size_t rows) {
        return divide_up(divide_up(rows, divide_up(rows, most_rows)), block_rows) * block_rows;
    }

    static std::size_t workspace(std::size_t rows) { return Sums::size(rows_at_once(rows)); }
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
    using Finish = Int8Finish<A, panel_columns>;

    /// A chunk of the inputs of up to block_rows rows, by one panel.
    struct Block {
        const std::uint8_t* x;
        std::size_t x_stride, inputs;
        const std::int8_t* weights;
        const std::int32_t* from;  ///< the sums before; rows are from_stride apart
        std::size_t from_stride;
        std::int32_t* to;        ///< [rows][panel_columns]
        const char* next;        ///< weights that will be read later
        std::size_t next_lines;  ///< lines of `next` to prefetch per group
    };

    template <class Activation>
    static void run_rows(const Int8LinearCall& call, std::size_t first, std::size_t last) {
        const std::size_t padded = int8_padded(call.x.cols), stride = int8_stride(call.x.cols),
                          chunk = chunk_of(padded), blocks = divide_up(last - first, block_rows);
        Finish finish{call};
        Sums places{call.workspace, chunk == padded};
        for (std::size_t panel = call.first_panel; panel < call.last_panel; ++panel) {
            const std::int8_t* const weights = call.weights + panel * panel_columns * padded;
            const std::int32_t* const starts = int8_starts<A>(call, panel_columns, panel);
            for (std::size_t k = 0; k < padded; k += chunk) {
                const std::size_t inputs = min(chunk, padded - k);
                // Each block of this chunk prefetches a part of the next chunk.
                const std::size_t lines = divide_up(panel_columns * group / 64, blocks);
                const char* next =
                    reinterpret_cast<const char*>(weights + (k + inputs) * panel_columns);
                for (std::size_t row = first; row < last; row += block_rows) {
                    std::int32_t* const sums = places.next(row - first);
                    const Block block{call.x.data + row * stride + k,
                                      stride,
                                      inputs,
                                      weights + k * panel_columns,
                                      k == 0 ? starts : sums,
                                      k == 0 ? 0 : panel_columns,
                                      sums,
                                      next,
                                      lines};
                    next += inputs / group * lines * 64;
                    const std::size_t rows = min(block_rows, last - row);
                    multiply_rows<Activation>(block, rows, finish);
                    if (k + inputs == padded) finish.begin(row, rows, panel, sums);
                }
            }
        }
        while (finish.row < finish.end_row) finish_vector<Activation>(finish);
    }

    /// Turns the number of rows into a template argument.
    template <class Activation, std::size_t rows = block_rows>
    static void multiply_rows(const Block& block, std::size_t count, Finish& finish) {
        if constexpr (rows > 0) {
            if (count == rows) return multiply<Activation, rows>(block, finish);
            multiply_rows<Activation, rows - 1>(block, count, finish);
        }
    }

    /// Also finishes the block before, a vector or more after each group of inputs.
    template <class Activation, std::size_t rows>
    static void multiply(const Block& block, Finish& finish) {
        typename Dot::Sums sums[rows][vectors];
        for_each_below<rows * vectors>([&](auto n) __attribute__((always_inline)) {
            constexpr std::size_t r = n() / vectors, v = n() % vectors;
            sums[r][v] = Dot::load(block.from + r * block.from_stride + v * w);
        });
        const std::int8_t* weights = block.weights;
        const char* next = block.next;
        const std::size_t at_once = divide_up(block_rows * vectors, block.inputs / group);
        for (std::size_t i = 0; i < block.inputs; i += group) {
            for (std::size_t l = 0; l < block.next_lines; ++l, next += 64)
                __builtin_prefetch(next, 0, 2);
            for (std::size_t k = i; k < i + group; k += 4, weights += panel_columns * 4)
                Dot::template add_products<rows>(sums, block.x + k, block.x_stride, weights);
            for (std::size_t n = 0; n < at_once && finish.row < finish.end_row; ++n)
                finish_vector<Activation>(finish);
        }
        for_each_below<rows * vectors>([&](auto n) __attribute__((always_inline)) {
            constexpr std::size_t r = n() / vectors, v = n() % vectors;
            Dot::store(block.to + r * panel_columns + v * w, sums[r][v]);
        });
    }

    /// Inlined, because a call would not keep the sums in registers.
    template <class Activation>
    __attribute__((always_inline)) static void finish_vector(Finish& f) {
        f.columns[f.vector].template write<Activation>(f.call, f.row, f.column + f.vector * w,
                                                       f.sums + f.vector * w,
                                                       row_factors<A>(f.call.x, f.row));
        if (++f.vector < f.vectors) return;
        f.vector = 0;
        ++f.row;
        f.sums += panel_columns;
    }
};

template <class A, class Dot>
constexpr Int8Table make_int8_table(const char* name) noexcept {
    return make_int8_table_of<A, Int8Linear<A, Dot>>(name);
}

}  // namespace vit::inline internal::kernels
