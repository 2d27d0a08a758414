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

#include "engine/kernels/fused_linears.h"
#include "engine/kernels/int8_dots.h"
#include "engine/kernels/int8_rows.h"

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
        return panels * panel_columns * (int8_padded(in) + sizeof(std::int32_t));
    }

    static void pack(const std::int8_t* weights, std::size_t in, std::size_t panel,
                     std::size_t panels, std::int8_t* packed) {
        const std::size_t padded = int8_padded(in);
        std::int8_t* to = packed + panel * panel_columns * padded;
        for (std::size_t i = 0; i < padded; i += 4)
            for (std::size_t column = 0; column < panel_columns; ++column, to += 4)
                __builtin_memcpy(to, weights + column * padded + i, 4);
        std::int8_t* const starts =
            packed + panels * panel_columns * padded + panel * panel_columns * sizeof(std::int32_t);
        for (std::size_t column = 0; column < panel_columns; ++column) {
            std::int32_t sum = 0;
            for (std::size_t i = 0; i < padded; ++i) sum += weights[column * padded + i];
            sum *= -std::int32_t{int8_zero};
            __builtin_memcpy(starts + column * sizeof sum, &sum, sizeof sum);
        }
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
            const auto* const starts = reinterpret_cast<const std::int32_t*>(
                                           call.weights + call.panels * panel_columns * padded) +
                                       panel * panel_columns;
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
        const std::size_t padded = int8_padded(call.x.cols), stride = int8_stride(call.x.cols);
        float scales[rows], shifts[rows];
        for (std::size_t r = 0; r < rows; ++r) {
            const std::uint8_t* const after = call.x.data + (block.row + r) * stride + padded;
            __builtin_memcpy(scales + r, after, sizeof(float));
            __builtin_memcpy(shifts + r, after + sizeof(float), sizeof(float));
        }
        for (std::size_t v = 0; v < vectors; ++v) {
            const std::size_t column = block.panel * panel_columns + v * w;
            if (column >= call.end_column) return;
            const F32<A> weight_sum =
                             xsimd::to_float(I32<A>::load_unaligned(block.starts + v * w)) *
                             F32<A>(-1.0F / int8_zero),
                         column_scale = load<A>(call.scales + column),
                         bias = load<A>(call.bias + column),
                         column_shift = column_scale * weight_sum;
            for (std::size_t r = 0; r < rows; ++r) {
                const I32<A> sum = I32<A>::load_unaligned(block.sums + r * panel_columns + v * w);
                const F32<A> shifted = F32<A>(shifts[r]) * column_shift + bias;
                const F32<A> y = Activation::template apply<A, BFloat16>(
                    xsimd::to_float(sum) * (F32<A>(scales[r]) * column_scale) + shifted);
                write(call, block.row + r, column, y);
            }
        }
    }

    static void write(const Int8LinearCall& call, std::size_t row, std::size_t column, F32<A> y) {
        if (call.y == nullptr) {
            store<A>(call.y_bf16 + row * call.y_bf16_stride + column, y);
            return;
        }
        float* const to = call.y + row * call.y_stride + column;
        if (call.residual == nullptr)
            store<A>(to, y);
        else
            store<A>(to, load<A>(call.residual + row * call.residual_stride + column) + y);
    }
};

template <class A, class Dot>
constexpr Int8Table make_int8_table(const char* name) noexcept {
    using Linear = Int8Linear<A, Dot>;
    return {.name = name,
            .quantize = quantize<A, float>,
            .quantize_bf16 = quantize<A, BFloat16>,
            .layer_norm = layer_norm_int8<A>,
            .rms_norm = rms_norm_int8<A>,
            .linears = {.none = Linear::template run<NoActivation>,
                        .gelu = Linear::template run<Gelu>,
                        .gelu_tanh = Linear::template run<GeluTanh>,
                        .quick_gelu = Linear::template run<QuickGelu>,
                        .silu = Linear::template run<Silu>,
                        .relu = Linear::template run<Relu>,
                        .tanh = Linear::template run<Tanh>,
                        .panel_columns = Linear::panel_columns,
                        .workspace = Linear::workspace,
                        .packed_bytes = Linear::packed_bytes,
                        .pack = Linear::pack}};
}

}  // namespace vit::inline internal::kernels
