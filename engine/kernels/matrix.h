// Where the elements of a row are. These are templates on the architecture A, like everything that
// kernels share.
#pragma once

#include "engine/kernels/kernels.h"

namespace vit::inline internal::kernels {

/// One row of a Matrix.
template <class T>
struct Row {
    T* data;
    std::size_t segment;
};

template <class A, class T>
inline Row<T> row_of(const Matrix<T>& m, std::size_t r) noexcept {
    const std::size_t row = m.first + r;
    return {m.data + row / panel_rows * m.panel + row % panel_rows * m.row, m.segment};
}
/// A row of float32, which is never in panels.
template <class A>
inline float* row_of(const Matrix<float>& m, std::size_t r) noexcept {
    return m.data + r * m.row;
}

/// Pointer to element `c`. The elements up to the next multiple of 32 follow it.
template <class A, class T>
inline T* at(const Row<T>& row, std::size_t c) noexcept {
    return row.data + c / panel_rows * row.segment + c % panel_rows;
}
template <class A>
inline float* at(float* row, std::size_t c) noexcept {
    return row + c;
}

}  // namespace vit::inline internal::kernels
