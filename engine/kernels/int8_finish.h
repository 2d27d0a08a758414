// What all int8 linears share: where their sums start, and what happens to a finished sum.
#pragma once

#include "engine/kernels/fused_linears.h"
#include "engine/kernels/int8_rows.h"

namespace vit::inline internal::kernels {

/// Bytes of the packed weights of `columns` outputs: the weights, and an int32 per output.
template <class A>
std::size_t int8_packed_bytes(std::size_t in, std::size_t columns) noexcept {
    return columns * (int8_padded(in) + sizeof(std::int32_t));
}

/// Writes the numbers with which the sums of a panel's columns start. The bytes of a row are number
/// + int8_zero, so they are −int8_zero times the sum of the column's weights.
template <class A>
void pack_starts(const std::int8_t* weights, std::size_t padded, std::size_t panel_columns,
                 std::size_t panel, std::size_t panels, std::int8_t* packed) noexcept {
    std::int8_t* to =
        packed + panels * panel_columns * padded + panel * panel_columns * sizeof(std::int32_t);
    for (std::size_t column = 0; column < panel_columns; ++column) {
        std::int32_t sum = 0;
        for (std::size_t i = 0; i < padded; ++i) sum += weights[column * padded + i];
        sum *= -std::int32_t{int8_zero};
        __builtin_memcpy(to + column * sizeof sum, &sum, sizeof sum);
    }
}

/// The numbers that pack_starts() wrote.
template <class A>
const std::int32_t* int8_starts(const Int8LinearCall& call, std::size_t panel_columns,
                                std::size_t panel) noexcept {
    return reinterpret_cast<const std::int32_t*>(call.weights + call.panels * panel_columns *
                                                                    int8_padded(call.x.cols)) +
           panel * panel_columns;
}

/// The scale and the shift of a row.
struct Int8RowFactors {
    float scale, shift;
};
template <class A>
Int8RowFactors row_factors(const Int8Rows& x, std::size_t row) noexcept {
    Int8RowFactors factors;
    const std::uint8_t* const at = int8_row<A>(x, row) + int8_padded(x.cols);
    // One by one, so that each is loaded and broadcast by one instruction.
    __builtin_memcpy(&factors.scale, at, sizeof(float));
    __builtin_memcpy(&factors.shift, at + sizeof(float), sizeof(float));
    return factors;
}

/// The factors of a vector of columns.
template <class A>
struct Int8Columns {
    F32<A> scale, shift, bias;

    Int8Columns() noexcept : scale(0.0F), shift(0.0F), bias(0.0F) {}
    /// `starts`: of these columns.
    Int8Columns(const Int8LinearCall& call, std::size_t column, const std::int32_t* starts) noexcept
        : scale(load<A>(call.scales + column)),
          shift(scale *
                (xsimd::to_float(I32<A>::load_unaligned(starts)) * F32<A>(-1.0F / int8_zero))),
          bias(load<A>(call.bias + column)) {}

    /// The outputs of one row, of which `sums` are the sums.
    template <class Activation>
    F32<A> value(const std::int32_t* sums, const Int8RowFactors& of_row) const noexcept {
        const F32<A> shifted = F32<A>(of_row.shift) * shift + bias;
        return Activation::template apply<A, BFloat16>(
            xsimd::to_float(I32<A>::load_unaligned(sums)) * (F32<A>(of_row.scale) * scale) +
            shifted);
    }

    /// Writes them.
    template <class Activation>
    void write(const Int8LinearCall& call, std::size_t row, std::size_t column,
               const std::int32_t* sums, const Int8RowFactors& of_row) const noexcept {
        const F32<A> y = value<Activation>(sums, of_row);
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

/// A block of rows by one panel whose sums are complete, and where its finishing has got to. A
/// block is finished while the products of the next one are computed, which costs less than
/// finishing it apart: the steps of one output depend on each other, so alone they leave most units
/// idle.
template <class A, std::size_t panel_columns>
struct Int8Finish {
    static constexpr std::size_t most_vectors = panel_columns / width<A>;

    const Int8LinearCall& call;
    std::size_t row = 0, end_row = 0;    ///< of the call; `row` is finished next
    std::size_t column = 0;              ///< the panel's first
    std::size_t vectors = 0;             ///< of the panel that are outputs
    std::size_t vector = 0;              ///< finished next
    const std::int32_t* sums = nullptr;  ///< of `row`; rows are panel_columns apart
    Int8Columns<A> columns[most_vectors] = {};

    /// The block before must be finished.
    void begin(std::size_t first_row, std::size_t rows, std::size_t panel,
               const std::int32_t* of_first_row) noexcept {
        row = first_row;
        end_row = first_row + rows;
        sums = of_first_row;
        if (vectors > 0 && column == panel * panel_columns) return;
        constexpr std::size_t w = width<A>;
        column = panel * panel_columns;
        vectors = (call.end_column - column + w - 1) / w;
        if (vectors > most_vectors) vectors = most_vectors;
        const std::int32_t* const starts = int8_starts<A>(call, panel_columns, panel);
        for (std::size_t v = 0; v < vectors; ++v)
            columns[v] = Int8Columns<A>(call, column + v * w, starts + v * w);
    }
};

/// Where the sums of blocks are: each block has a place of its own if its sums wait for another
/// chunk of the inputs. Otherwise two places alternate, because a block is finished during the next
/// one.
template <std::size_t block_rows, std::size_t panel_columns>
struct Int8Sums {
    std::int32_t* workspace;
    bool alternate;
    std::size_t turn = 0;

    /// Number of int32 for so many rows.
    static std::size_t size(std::size_t rows) noexcept {
        return (rows > 2 * block_rows ? rows : 2 * block_rows) * panel_columns;
    }
    /// The sums of the next block, which begins with `row` of the workspace.
    std::int32_t* next(std::size_t row) noexcept {
        if (alternate) row = turn = block_rows - turn;
        return workspace + row * panel_columns;
    }
};

/// The table whose linears are `Linear`.
template <class A, class Linear>
constexpr Int8Table make_int8_table_of(const char* name) noexcept {
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
