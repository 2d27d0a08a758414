// The kernels of int8: rows are quantised with a scale and a shift for each row, weights with a
// scale for each output. A product is exact in int32, so it has the same bits on every CPU.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/kernels/kernels.h"

namespace vit::inline internal::kernels {

/// Bytes of the numbers of an int8 row, padding included, and from one row to the next.
constexpr std::size_t int8_padded(std::size_t cols) {
    return (cols + 63) / 64 * 64;
}
constexpr std::size_t int8_stride(std::size_t cols) {
    return int8_padded(cols) + 64;
}

/// The byte of the number 0 in a row of inputs. Bytes are unsigned, because vpdpbusd and vpmaddubsw
/// multiply unsigned bytes with signed ones.
inline constexpr std::uint8_t int8_zero = 128;

/// Rows of int8, [rows, cols]. The numbers of a row come first, padded with zeros to int8_padded();
/// its scale and its shift, two floats, follow. value = scale · number + shift. A byte holds number
/// + int8_zero. `data` is 64-byte aligned, and rows are int8_stride(cols) bytes apart.
struct Int8Rows {
    std::uint8_t* data;
    std::size_t rows, cols;
};

/// The arguments of one call of an int8 linear.
struct Int8LinearCall {
    Int8Rows x;
    /// From Int8Linears::pack, `panels` column panels.
    const std::int8_t* weights;
    std::size_t panels;
    const float *scales, *bias;  ///< of all columns of these panels
    /// The column panels to compute, and the output column where the last one ends.
    std::size_t first_panel, last_panel, end_column;
    /// The output is y or y_bf16, both row-major; the data of the other is nullptr. y: residual +
    /// the product. `residual` may be nullptr, or y.
    float* y;
    std::size_t y_stride;
    const float* residual;
    std::size_t residual_stride;
    BFloat16* y_bf16;
    std::size_t y_bf16_stride;
    std::int32_t* workspace;  ///< 64-byte aligned
};

/// Linears in int8: y = activation(row scale · column scale · sum + row shift · column scale · sum
/// of the column's weights + bias). The result of a row depends only on that row. There is one
/// function for each activation. Up to 65,536 inputs.
struct Int8Linears {
    using Run = void (*)(const Int8LinearCall& call);
    Run none, gelu, gelu_tanh, quick_gelu, silu, relu, tanh;

    bool registers = false;     ///< uses tile registers, which the thread must have (tile_state.h)
    std::size_t panel_columns;  ///< number of outputs whose weights are stored side by side
    /// Number of int32 of workspace for `rows` rows.
    std::size_t (*workspace)(std::size_t rows);
    /// Bytes of the packed weights of `panels` column panels.
    std::size_t (*packed_bytes)(std::size_t in, std::size_t panels);
    /// Packs the weights of panel_columns outputs as column panel `panel` of `panels`. They are
    /// within ±127, and the magnitudes of weights 2i and 2i + 1 of an output add up to at most 128.
    /// Rows of `weights` are int8_padded(in) apart and padded with zeros.
    void (*pack)(const std::int8_t* weights, std::size_t in, std::size_t panel, std::size_t panels,
                 std::int8_t* packed);
};

/// The kernels of one instruction set. For a row from `low` to `high`: shift = (low + high) / 2,
/// scale = (high − low) / 254, number = (x − shift) · (254 / (high − low)), rounded to nearest
/// even. So numbers are within ±127, and all of them are used although GELU's results are mostly
/// positive. A row with high − low below 1e-30 gets the scale 0 and numbers 0. A row with a NaN or
/// an infinity gets the scale NaN, so that all its results are NaN.
struct Int8Table {
    const char* name;

    void (*quantize)(Matrix<const float> in, Int8Rows out);
    void (*quantize_bf16)(Matrix<const BFloat16> in, Int8Rows out);  ///< in: row-major
    /// As in Table, then quantised. `row` is memory for one row of float32.
    void (*layer_norm)(Matrix<const float> in, Int8Rows out, const NormParameters& norm,
                       float* row);
    void (*rms_norm)(Matrix<const float> in, Int8Rows out, const NormParameters& norm, float* row);
    Int8Linears linears;
};

/// The fastest table that a CPU with these tables of float32 can run.
const Int8Table& int8_table_for(Isa isa) noexcept;

}  // namespace vit::inline internal::kernels
