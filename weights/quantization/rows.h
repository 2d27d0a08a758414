// Rows of activations, and what rounding them and the weights that read them does to the outputs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/ops/gemm.h"
#include "weights/quantization/rounding.h"

namespace vit::inline internal {

/// A dense matrix and its memory.
struct Matrix {
    std::vector<float> values;
    std::int64_t rows = 0, cols = 0;

    Matrix() = default;
    Matrix(std::int64_t r, std::int64_t c)
        : values(static_cast<std::size_t>(r * c)), rows(r), cols(c) {}
    MatrixView view() { return {values.data(), rows, cols, cols}; }
    float* row(std::int64_t r) { return values.data() + r * cols; }
};

/// Copies rows to dense memory.
void copy_rows(MatrixView from, float* to);

/// Rounds rows to int8 and back, as the engine does.
Matrix rounded_rows(Matrix& x);

/// The mean of each column.
std::vector<double> means_of(const MatrixView& x);
void subtract_means(MatrixView x, std::span<const double> means);

/// ‖ŷ − y‖ / ‖y‖ for the outputs y = x Wᵀ of a linear and ŷ = x̂ Ŵᵀ, each output about its mean.
double relative_error(MatrixView x, MatrixView rounded_x, std::span<const float> weight,
                      std::vector<float>& rounded_weight);

}  // namespace vit::inline internal
