// Products of matrices of any size, for tools that compute with weights. Inference uses linear.h.
#pragma once

#include <cstdint>

namespace vit::inline internal {

/// A float32 matrix, row-major; rows are `stride` elements apart.
struct MatrixView {
    float* data = nullptr;
    std::int64_t rows = 0, cols = 0, stride = 0;

    MatrixView block(std::int64_t row, std::int64_t col, std::int64_t row_count,
                     std::int64_t col_count) const {
        return {data + row * stride + col, row_count, col_count, stride};
    }
};

/// c += factor · a b
void add_product(float factor, MatrixView a, MatrixView b, MatrixView c);
/// c += factor · aᵀ b
void add_product_at(float factor, MatrixView a, MatrixView b, MatrixView c);
/// c += factor · a bᵀ
void add_product_bt(float factor, MatrixView a, MatrixView b, MatrixView c);

}  // namespace vit::inline internal
