// The vectorised row kernels, with one table per instruction set. The table is chosen when a model
// is loaded.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vit::inline internal::kernels {

/// Levels of instruction sets. Each level includes the ones before it. amx: AVX-512 with
/// AVX512_BF16, and tiles.
enum class Isa { baseline, avx2, avx512, amx };
inline constexpr Isa all_isas[] = {Isa::baseline, Isa::avx2, Isa::avx512, Isa::amx};

/// bfloat16 is the upper half of a float32.
using BFloat16 = std::uint16_t;

/// A matrix in memory. Element (r, c) is at data + (R / 32) · panel + (R % 32) · row + (c /
/// 32) · segment + c % 32, where R = first + r. That describes rows one after another (row_major),
/// and panels, the layout that tiles load (in_panels): [panel of 32 rows][32 columns][row][column].
template <class T>
struct Matrix {
    T* data;
    std::size_t rows, cols;
    std::size_t first;
    std::size_t row, panel, segment;
};
inline constexpr std::size_t panel_rows = 32;  ///< rows of a panel, and columns of a segment

/// Rows that are `stride` elements apart.
template <class T>
constexpr Matrix<T> row_major(T* data, std::size_t rows, std::size_t cols, std::size_t stride) {
    return {data, rows, cols, 0, stride, panel_rows * stride, panel_rows};
}
/// Panels, whose columns are padded to a multiple of 32. Row 0 is row `first` of the panels.
template <class T>
constexpr Matrix<T> in_panels(T* data, std::size_t rows, std::size_t cols, std::size_t first) {
    return {data,
            rows,
            cols,
            first,
            panel_rows,
            (cols + panel_rows - 1) / panel_rows * panel_rows * panel_rows,
            panel_rows * panel_rows};
}

/// Elementwise, in place. T is float or BFloat16, which is computed in float32 and then rounded.
template <class T>
struct Activations {
    /// x · Φ(x) with erf (Hendrycks & Gimpel, "Gaussian Error Linear Units", 2016).
    void (*gelu)(T* x, std::size_t count);
    /// The tanh approximation of the same paper, which models use as a function of its own.
    void (*gelu_tanh)(T* x, std::size_t count);
    void (*quick_gelu)(T* x, std::size_t count);  ///< x · sigmoid(1.702 x)
    void (*silu)(T* x, std::size_t count);
    void (*relu)(T* x, std::size_t count);
    void (*tanh)(T* x, std::size_t count);
};

/// The sizes of attention. Queries and keys have heads × head_dim columns, values and results have
/// heads × value_dim.
struct AttentionSize {
    std::size_t keys, heads, head_dim, value_dim;
};

/// What pack_keys and pack_values write.
struct PackedHeads {
    const void *keys, *values;
};

/// Attention over packed keys and values (engine/kernels/attention.h, tile_attention.h). T is float
/// or BFloat16. Products of BFloat16 are added in float32, and softmax is float32. The result for a
/// query row does not depend on the other query rows.
template <class T>
struct AttentionKernels {
    /// Bytes of the packed keys, or values, of one head.
    std::size_t (*packed_keys)(std::size_t keys, std::size_t head_dim);
    std::size_t (*packed_values)(std::size_t keys, std::size_t value_dim);
    /// Packs the rows of `k`, which is row-major. Its row 0 is key `first` of all keys. Several
    /// threads may pack different rows at the same time.
    void (*pack_keys)(Matrix<const T> k, std::size_t first, const AttentionSize& size,
                      void* packed);
    void (*pack_values)(Matrix<const T> v, std::size_t first, const AttentionSize& size,
                        void* packed);
    /// Number of floats of workspace that `attend` needs, 64-byte aligned.
    std::size_t (*workspace)(std::size_t keys, std::size_t head_dim);
    /// out = softmax(scale · q kᵀ) v for each head and each row of q. q and out may be in panels
    /// only for the kernels on tiles. BFloat16: head_dim and strides must be even.
    void (*attend)(Matrix<const T> q, const PackedHeads& packed, const AttentionSize& size,
                   float scale, Matrix<T> out, float* workspace);
};

/// The arguments of one call of a fused linear. T is the type of x and of the weights.
template <class T>
struct FusedLinearCall {
    /// The inputs. float: row-major. BFloat16: in panels, with zeros in the padding columns.
    Matrix<const T> x;
    /// Packed, `panels` column panels.
    const T* weights;
    std::size_t panels;
    const float* bias;  ///< of all columns of these panels
    /// The column panels to compute, and the output column where the last one ends.
    std::size_t first_panel, last_panel, end_column;
    /// The output is y or y_bf16; the data of the other is nullptr. y is row-major float32:
    /// residual + the product. `residual` may be nullptr, or y.
    float* y;
    std::size_t y_stride;
    const float* residual;
    std::size_t residual_stride;
    Matrix<BFloat16> y_bf16;  ///< only where T is BFloat16
    float* workspace;         ///< 64-byte aligned
};

/// Our own linears: they compute product, bias, activation, residual and rounding in one pass. The
/// result of a row depends only on that row. There is one function for each activation.
template <class T>
struct FusedLinears {
    using Run = void (*)(const FusedLinearCall<T>& call);
    Run none, gelu, gelu_tanh, quick_gelu, silu, relu, tanh;

    std::size_t panel_columns;  ///< number of outputs whose weights are stored side by side
    /// Number of floats of workspace for `rows` rows, wherever they start in a panel.
    std::size_t (*workspace)(std::size_t rows, std::size_t in, std::size_t column_panels);
    /// Packs the weights of panel_columns outputs as column panel `panel` of `panels`. Each row of
    /// weights has `in` inputs, padded with zeros to a multiple of 32.
    void (*pack)(const T* rows, std::size_t in, std::size_t panel, std::size_t panels, T* packed);
    bool registers;  ///< whether threads must hold a TileScope during a call
};

/// Parameters of a norm. gamma and beta [cols]; rms_norm does not read beta.
struct NormParameters {
    const float *gamma, *beta;
    float eps;
};

/// Matrices of float32 are row-major and need no alignment. A function reads or writes as many rows
/// and columns as its last matrix has. Where it has both an input and an output, they may be equal.
/// The result of a row depends only on that row, and not on the number of rows in a call.
struct Table {
    Isa isa;

    /// out = (in - mean) / sqrt(var + eps) * gamma + beta, per row, with the two-pass (biased)
    /// variance (Ba, Kiros & Hinton, "Layer Normalization", 2016).
    void (*layer_norm)(Matrix<const float> in, Matrix<float> out, const NormParameters& norm);

    /// out = in / sqrt(mean(in²) + eps) * gamma, per row (Zhang & Sennrich, "Root Mean Square Layer
    /// Normalization", 2019).
    void (*rms_norm)(Matrix<const float> in, Matrix<float> out, const NormParameters& norm);

    /// Row-wise softmax(scale * x) in place, scale >= 0. The row's maximum is subtracted first.
    void (*softmax)(Matrix<float> x, float scale);

    Activations<float> activations;

    /// x += factor * y, elementwise.
    void (*add_scaled)(Matrix<const float> y, float factor, Matrix<float> x);
    /// out = x * y, elementwise. `out` may equal `x`.
    void (*multiply)(Matrix<const float> x, Matrix<const float> y, Matrix<float> out);

    /// out[c] = mean over the rows of in[r, c], summed in the order of the rows. `in` has at least
    /// one row.
    void (*mean_rows)(Matrix<const float> in, float* out);
    /// The same with the maximum. NaN where the column contains a NaN.
    void (*max_rows)(Matrix<const float> in, float* out);

    /// products[r, q] = rows[r] · queries[q], and squares[r] = rows[r] · rows[r] unless `squares`
    /// is nullptr. There is at least one query. Of many queries, those that lie in the second-level
    /// cache together with `rows` are best passed at once.
    void (*dot_products)(Matrix<const float> rows, Matrix<const float> queries,
                         Matrix<float> products, float* squares);

    AttentionKernels<float> attention;
    const FusedLinears<float>* linears;  ///< nullptr: oneDNN computes linears
};

/// The kernels for bfloat16. They are used together with the table of the same instruction set.
struct Bf16Table {
    /// The same as in Table. Only the result is rounded.
    void (*layer_norm)(Matrix<const float> in, Matrix<BFloat16> out, const NormParameters& norm);
    void (*rms_norm)(Matrix<const float> in, Matrix<BFloat16> out, const NormParameters& norm);
    void (*multiply)(Matrix<const float> x, Matrix<const float> y, Matrix<BFloat16> out);
    Activations<BFloat16> activations;
    AttentionKernels<BFloat16> attention;
    /// Rounds to nearest even. Subnormal numbers become zero.
    void (*round)(Matrix<const float> in, Matrix<BFloat16> out);
    /// On tiles. nullptr: oneDNN computes linears.
    const FusedLinears<BFloat16>* linears;
};

}  // namespace vit::inline internal::kernels
