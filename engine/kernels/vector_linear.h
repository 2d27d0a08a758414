// A fully connected layer in float32 on vectors: y = activation(x Wᵀ + bias), or y = residual + x
// Wᵀ + bias.
//
// The sums of eight rows by three vectors stay in registers while a chunk of the inputs is added.
// One input of a row of x at a time is copied to all lanes. Weights are stored in the order in
// which they are read, [superblock of 768 inputs][panel of three vectors of
// columns][input][column]. A chunk of a panel (36 KB with AVX-512) stays in the L1 cache for all
// rows, and a superblock of x stays in the L2 cache. Between chunks, the sums are stored in the
// workspace without gaps. They are not stored in the output, whose rows are often a multiple of 4
// KB apart and would share a few cache sets.
//
// The sum of an output is one chain of fused multiply-adds in the order of the inputs, so the bits
// of a row depend only on that row.
#pragma once

#include "engine/kernels/fused_linears.h"

namespace vit::inline internal::kernels {

template <class A>
struct VectorLinear {
    static constexpr std::size_t vectors = 3;
    static constexpr std::size_t panel_columns = vectors * width<A>;
    static constexpr std::size_t block_rows = 8;
    static constexpr std::size_t superblock = 768;  ///< inputs
    static constexpr std::size_t chunk = 192;       ///< inputs
    static constexpr std::size_t most_rows = 256;   ///< their x and sums fit into L2

    static std::size_t min(std::size_t a, std::size_t b) { return a < b ? a : b; }
    static std::size_t divide_up(std::size_t n, std::size_t by) { return (n + by - 1) / by; }

    static std::size_t rows_at_once(std::size_t rows) {
        return divide_up(divide_up(rows, divide_up(rows, most_rows)), block_rows) * block_rows;
    }

    static std::size_t workspace(std::size_t rows, std::size_t in, std::size_t column_panels) {
        return rows_at_once(rows) * panel_columns * (in > superblock ? column_panels : 1);
    }

    static void pack(const float* rows, std::size_t in, std::size_t panel, std::size_t panels,
                     float* packed) {
        const std::size_t stride = divide_up(in, 32) * 32;
        for (std::size_t first = 0; first < in; first += superblock) {
            const std::size_t count = min(superblock, in - first);
            float* to = packed + (first * panels + panel * count) * panel_columns;
            for (std::size_t i = first; i < first + count; ++i)
                for (std::size_t column = 0; column < panel_columns; ++column)
                    *to++ = rows[column * stride + i];
        }
    }

    template <class Activation>
    static void run(const FusedLinearCall<float>& call) {
        const std::size_t at_once = rows_at_once(call.x.rows);
        for (std::size_t row = 0; row < call.x.rows; row += at_once)
            run_rows<Activation>(call, row, min(row + at_once, call.x.rows));
    }

  private:
    /// Up to eight rows of one panel.
    struct Block {
        const float* x;
        std::size_t x_stride, inputs;
        const float* weights;
        float* sums;              ///< [rows][panel_columns]
        bool starts;              ///< the sums start from zero, not from `sums`
        const char* next;         ///< weights that will be read later
        std::size_t next_lines;   ///< lines of `next` to prefetch per eight inputs
        std::size_t row, column;  ///< in the output
    };

    /// Computes rows [first, last).
    template <class Activation>
    static void run_rows(const FusedLinearCall<float>& call, std::size_t first, std::size_t last) {
        const std::size_t rows = last - first, blocks = divide_up(rows, block_rows),
                          block_floats = block_rows * panel_columns;
        const bool many_superblocks = call.x.cols > superblock;
        for (std::size_t s = 0; s < call.x.cols; s += superblock) {
            const std::size_t count = min(superblock, call.x.cols - s);
            for (std::size_t panel = call.first_panel; panel < call.last_panel; ++panel) {
                const float* const weights =
                    call.weights + (s * call.panels + panel * count) * panel_columns;
                float* const sums =
                    call.workspace +
                    (many_superblocks ? (panel - call.first_panel) * blocks * block_floats : 0);
                for (std::size_t k = 0; k < count; k += chunk) {
                    const std::size_t inputs = min(chunk, count - k);
                    const bool ends = s + k + inputs == call.x.cols;
                    // Each block of this chunk prefetches a part of the next chunk.
                    const std::size_t lines = divide_up(panel_columns * sizeof(float) / 8, blocks);
                    const char* next =
                        reinterpret_cast<const char*>(weights + (k + inputs) * panel_columns);
                    for (std::size_t b = 0; b < blocks; ++b) {
                        const std::size_t row = first + b * block_rows;
                        const Block block{call.x.data + (call.x.first + row) * call.x.row + s + k,
                                          call.x.row,
                                          inputs,
                                          weights + k * panel_columns,
                                          sums + b * block_floats,
                                          s + k == 0,
                                          next,
                                          lines,
                                          row,
                                          panel * panel_columns};
                        next += inputs / 8 * lines * 64;
                        const std::size_t of = min(block_rows, last - row);
                        if (ends)
                            multiply_rows<Activation, true>(call, block, of);
                        else
                            multiply_rows<NoActivation, false>(call, block, of);
                    }
                }
            }
        }
    }

    /// Turns the number of rows into a template argument.
    template <class Activation, bool ends, std::size_t rows = block_rows>
    static void multiply_rows(const FusedLinearCall<float>& call, const Block& block,
                              std::size_t count) {
        if constexpr (rows > 0) {
            if (count == rows) return multiply<Activation, ends, rows>(call, block);
            multiply_rows<Activation, ends, rows - 1>(call, block, count);
        }
    }

    template <class Activation, bool ends, std::size_t rows>
    static void multiply(const FusedLinearCall<float>& call, const Block& block) {
        using V = F32<A>;
        V sums[rows][vectors];
        for (std::size_t r = 0; r < rows; ++r)
            for (std::size_t v = 0; v < vectors; ++v)
                sums[r][v] =
                    block.starts ? V(0.0F) : load<A>(block.sums + r * panel_columns + v * width<A>);
        const float* weights = block.weights;
        const char* next = block.next;
        for (std::size_t i = 0; i < block.inputs; ++i, weights += panel_columns) {
            V w[vectors];
            for (std::size_t v = 0; v < vectors; ++v) w[v] = load<A>(weights + v * width<A>);
            for (std::size_t r = 0; r < rows; ++r) {
                const V x(block.x[r * block.x_stride + i]);
                for (std::size_t v = 0; v < vectors; ++v)
                    sums[r][v] = fmadd<A>(x, w[v], sums[r][v]);
            }
            if (i % 8 == 0)
                for (std::size_t l = 0; l < block.next_lines; ++l, next += 64)
                    __builtin_prefetch(next, 0, 2);
        }
        if constexpr (ends) {
            for (std::size_t r = 0; r < rows; ++r)
                for (std::size_t v = 0; v < vectors; ++v)
                    finish<Activation>(call, block.row + r, block.column + v * width<A>,
                                       sums[r][v]);
        } else {
            for (std::size_t r = 0; r < rows; ++r)
                for (std::size_t v = 0; v < vectors; ++v)
                    store<A>(block.sums + r * panel_columns + v * width<A>, sums[r][v]);
        }
    }

    template <class Activation>
    static void finish(const FusedLinearCall<float>& call, std::size_t row, std::size_t column,
                       F32<A> sums) {
        if (column >= call.end_column) return;
        F32<A> y = Activation::template apply<A, float>(sums + load<A>(call.bias + column));
        if (call.residual != nullptr)
            y = load<A>(call.residual + row * call.residual_stride + column) + y;
        store<A>(call.y + row * call.y_stride + column, y);
    }
};

}  // namespace vit::inline internal::kernels
