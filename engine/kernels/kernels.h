// The vectorized row kernels, one table per instruction set, chosen once at start.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vit::inline internal::kernels {

/// Levels of instruction sets, each with what the ones before it have. amx: AVX-512 with
/// AVX512_BF16, and tiles.
enum class Isa { baseline, avx2, avx512, amx };
inline constexpr Isa all_isas[] = {Isa::baseline, Isa::avx2, Isa::avx512, Isa::amx};

/// bfloat16, the upper half of a float32.
using BFloat16 = std::uint16_t;

/// Rows of elements in memory: element (r, c) lies at data + (R / 32) · panel + (R % 32) · row +
/// (c / 32) · segment + c % 32, R = first + r. That is one row after the other (row_major), or
/// panels as tiles load them (in_panels): [panel of 32 rows][32 columns][row][column].
template <class T>
struct Matrix {
    T* data;
    std::size_t first;
    std::size_t row, panel, segment;
};
inline constexpr std::size_t panel_rows = 32;  ///< and columns side by side

template <class T>
constexpr Matrix<T> row_major(T* data, std::size_t stride) {
    return {data, 0, stride, panel_rows * stride, panel_rows};
}
/// `cols` columns, padded to whole panels; row 0 is row `first` of the panels.
template <class T>
constexpr Matrix<T> in_panels(T* data, std::size_t cols, std::size_t first) {
    return {data, first, panel_rows, (cols + panel_rows - 1) / panel_rows * panel_rows * panel_rows,
            panel_rows * panel_rows};
}

/// Elementwise, in place; T is float or BFloat16 (computed in float32, then rounded).
template <class T>
struct Activations {
    /// x · Φ(x) with erf (Hendrycks & Gimpel, "Gaussian Error Linear Units", 2016).
    void (*gelu)(T* x, std::size_t count);
    /// The tanh approximation of the same paper, a function of its own.
    void (*gelu_tanh)(T* x, std::size_t count);
    void (*quick_gelu)(T* x, std::size_t count);  ///< x · sigmoid(1.702 x)
    void (*silu)(T* x, std::size_t count);
    void (*relu)(T* x, std::size_t count);
    void (*tanh)(T* x, std::size_t count);
};

/// Attention over packed keys and values (engine/kernels/attention.h, tile_attention.h). T is float
/// or BFloat16, whose products are added in float32, softmax included. Results of a query row
/// depend on it alone.
template <class T>
struct AttentionKernels {
    /// Bytes that one head's packed keys and values take.
    std::size_t (*packed_keys)(std::size_t keys, std::size_t head_dim);
    std::size_t (*packed_values)(std::size_t keys, std::size_t value_dim);
    /// Packs rows [first, first + rows) of all `keys` keys, `k` pointing at row `first`. Rows may
    /// be packed by several threads.
    void (*pack_keys)(const T* k, std::size_t k_stride, std::size_t first, std::size_t rows,
                      std::size_t keys, std::size_t heads, std::size_t head_dim, void* packed);
    void (*pack_values)(const T* v, std::size_t v_stride, std::size_t first, std::size_t rows,
                        std::size_t keys, std::size_t heads, std::size_t value_dim, void* packed);
    /// Floats that `attend` needs, 64-byte aligned.
    std::size_t (*workspace)(std::size_t keys, std::size_t head_dim);
    /// out = softmax(scale · q kᵀ) v for each head, for `rows` query rows. In panels only where
    /// `tiles`. BFloat16: head_dim and strides are even.
    void (*attend)(Matrix<const T> q, std::size_t rows, const void* packed_keys,
                   const void* packed_values, std::size_t keys, std::size_t heads,
                   std::size_t head_dim, std::size_t value_dim, float scale, Matrix<T> out,
                   float* workspace);
};

/// What one call of a fused linear is given; T is the type of x and of the weights.
template <class T>
struct FusedLinearCall {
    Matrix<const T> x;  ///< float: row-major; BFloat16: in panels, padding columns zero
    std::size_t rows, in;
    const T* weights;  ///< packed, of `panels` column panels
    std::size_t panels;
    const float* bias;  ///< of all columns in these panels
    /// The column panels to make, and where the last one ends in the output.
    std::size_t first_panel, last_panel, end_column;
    /// Either of these two; data of the other is nullptr. float32: y = residual + the product,
    /// where there is a residual, which may be y; row-major.
    float* y;
    std::size_t y_stride;
    const float* residual;
    std::size_t residual_stride;
    Matrix<BFloat16> y_bf16;  ///< where T is BFloat16
    float* workspace;         ///< 64-byte aligned
};

/// Linears of our own: the product, bias, activation, residual and rounding in one go. A row's
/// result depends on that row alone. One function for each activation.
template <class T>
struct FusedLinears {
    using Run = void (*)(const FusedLinearCall<T>& call);
    Run none, gelu, gelu_tanh, quick_gelu, silu, relu, tanh;

    std::size_t panel_columns;  ///< outputs whose weights lie side by side
    /// Floats of workspace for so many rows, wherever they start in a panel.
    std::size_t (*workspace)(std::size_t rows, std::size_t in, std::size_t column_panels);
    /// Packs panel_columns rows (outputs) of weights, each `in` inputs padded with zeros to a
    /// multiple of 32, as column panel `panel` of `panels`.
    void (*pack)(const T* rows, std::size_t in, std::size_t panel, std::size_t panels, T* packed);
    bool registers;  ///< whether threads must hold a TileScope
};

/// All pointers are to float32; rows are `stride` floats apart; nothing needs alignment; `in ==
/// out` is allowed where both are named. Results of a row depend on that row alone and never on how
/// many rows one call is given.
struct Table {
    Isa isa;

    /// out = (in - mean) / sqrt(var + eps) * gamma + beta, per row; two-pass (biased) variance.
    /// Ba, Kiros & Hinton, "Layer Normalization", 2016. gamma and beta [cols].
    void (*layer_norm)(const float* in, std::size_t in_stride, float* out, std::size_t out_stride,
                       std::size_t rows, std::size_t cols, const float* gamma, const float* beta,
                       float eps);

    /// out = in / sqrt(mean(in²) + eps) * gamma, per row (Zhang & Sennrich, "Root Mean Square Layer
    /// Normalization", 2019).
    void (*rms_norm)(const float* in, std::size_t in_stride, float* out, std::size_t out_stride,
                     std::size_t rows, std::size_t cols, const float* gamma, float eps);

    /// Row-wise softmax(scale * x) in place, scale >= 0; the row's maximum is subtracted first.
    void (*softmax)(float* x, std::size_t stride, std::size_t rows, std::size_t cols, float scale);

    Activations<float> activations;

    /// x[r] += factor * y[r], rows × cols.
    void (*add_scaled)(float* x, std::size_t x_stride, const float* y, std::size_t y_stride,
                       std::size_t rows, std::size_t cols, float factor);
    /// out[r] = x[r] * y[r], rows × cols; `x == out` is allowed.
    void (*multiply)(const float* x, std::size_t x_stride, const float* y, std::size_t y_stride,
                     float* out, std::size_t out_stride, std::size_t rows, std::size_t cols);

    /// out[c] = mean over rows of in[r, c], accumulated row by row in order;
    /// rows >= 1.
    void (*mean_rows)(const float* in, std::size_t stride, std::size_t rows, std::size_t cols,
                      float* out);
    /// The same with the maximum; NaN where the column has one.
    void (*max_rows)(const float* in, std::size_t stride, std::size_t rows, std::size_t cols,
                     float* out);

    AttentionKernels<float> attention;
    const FusedLinears<float>* linears;  ///< nullptr: linears are oneDNN's
};

/// What runs on bfloat16, beside the table of the same instruction set.
struct Bf16Table {
    /// As those of Table; only the result is rounded.
    void (*layer_norm)(const float* in, std::size_t in_stride, Matrix<BFloat16> out,
                       std::size_t rows, std::size_t cols, const float* gamma, const float* beta,
                       float eps);
    void (*rms_norm)(const float* in, std::size_t in_stride, Matrix<BFloat16> out, std::size_t rows,
                     std::size_t cols, const float* gamma, float eps);
    void (*multiply)(const float* x, std::size_t x_stride, const float* y, std::size_t y_stride,
                     Matrix<BFloat16> out, std::size_t rows, std::size_t cols);
    Activations<BFloat16> activations;
    AttentionKernels<BFloat16> attention;
    /// Rounds to nearest even; subnormal numbers become zero.
    void (*round)(const float* in, std::size_t in_stride, Matrix<BFloat16> out, std::size_t rows,
                  std::size_t cols);
    const FusedLinears<BFloat16>* linears;  ///< on tiles; nullptr: linears are oneDNN's
};

}  // namespace vit::inline internal::kernels
