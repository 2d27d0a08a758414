// The vectorized row kernels, one table per instruction set, chosen once at start.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vit::kernels {

enum class Isa { baseline, avx2, avx512 };

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

    /// Row-wise softmax(scale * x) in place, scale >= 0; the row's maximum is subtracted first.
    void (*softmax)(float* x, std::size_t stride, std::size_t rows, std::size_t cols, float scale);

    /// x · Φ(x) with erf (Hendrycks & Gimpel, "Gaussian Error Linear Units", 2016), in place.
    void (*gelu)(float* x, std::size_t count);
    /// The tanh approximation of the same paper, a function of its own; in place.
    void (*gelu_tanh)(float* x, std::size_t count);
    void (*quick_gelu)(float* x, std::size_t count);  ///< x · sigmoid(1.702 x)
    void (*silu)(float* x, std::size_t count);
    void (*relu)(float* x, std::size_t count);
    void (*tanh)(float* x, std::size_t count);

    /// x[r] += y[r] (residual), rows × cols.
    void (*add)(float* x, std::size_t x_stride, const float* y, std::size_t y_stride,
                std::size_t rows, std::size_t cols);

    /// out[c] = mean over rows of in[r, c], accumulated row by row in order;
    /// rows >= 1.
    void (*mean_rows)(const float* in, std::size_t stride, std::size_t rows, std::size_t cols,
                      float* out);

    // Attention over packed keys and values (engine/kernels/attention.h).

    /// Keys, or columns of values, that are packed side by side.
    std::size_t attention_panel;
    /// Query rows whose scores the workspace of `attend` holds at once:
    /// attention_rows × (keys rounded up to attention_panel) floats.
    std::size_t attention_rows;
    /// Packs rows [first, first + rows) of all `keys` keys, `k` pointing at row `first`, into
    /// `packed`: heads × (keys rounded up to the panel) × head_dim floats. Rows may be packed by
    /// several threads.
    void (*pack_keys)(const float* k, std::size_t k_stride, std::size_t first, std::size_t rows,
                      std::size_t keys, std::size_t heads, std::size_t head_dim, float* packed);
    /// The same for values: heads × (head_dim rounded up to the panel) × keys floats.
    void (*pack_values)(const float* v, std::size_t v_stride, std::size_t first, std::size_t rows,
                        std::size_t keys, std::size_t heads, std::size_t head_dim, float* packed);
    /// out = softmax(scale · q kᵀ) v for each head, for `rows` query rows.
    void (*attend)(const float* q, std::size_t q_stride, std::size_t rows, const float* packed_keys,
                   const float* packed_values, std::size_t keys, std::size_t heads,
                   std::size_t head_dim, float scale, float* out, std::size_t out_stride,
                   float* workspace);
};

/// Tables that this CPU can run, lowest first; baseline is always there.
const Table* table_for(Isa isa) noexcept;  ///< nullptr: not built in, or this CPU lacks it

const char* isa_name(Isa isa) noexcept;

/// The best table of this CPU, or the one that the environment variable VIT_ISA names (baseline,
/// avx2, avx512). Throws Error (usage, unsupported) where that is no name or this CPU lacks it.
/// Call it once when a model is loaded and keep the result; tables live forever.
const Table& select_table();

}  // namespace vit::kernels
