#include "weights/quantization/rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/base/aligned_buffer.h"
#include "engine/kernels/dispatch.h"
#include "engine/kernels/int8_kernels.h"

namespace vit::inline internal {

void copy_rows(MatrixView from, float* to) {
    for (std::int64_t r = 0; r < from.rows; ++r)
        std::copy_n(from.data + r * from.stride, from.cols, to + r * from.cols);
}

Matrix rounded_rows(Matrix& x) {
    const kernels::Int8Table& table = kernels::int8_table_for(kernels::select_table().isa);
    const auto cols = static_cast<std::size_t>(x.cols);
    AlignedBuffer memory(kernels::int8_stride(cols));
    auto* const bytes = reinterpret_cast<std::uint8_t*>(memory.data());
    Matrix result(x.rows, x.cols);
    for (std::int64_t r = 0; r < x.rows; ++r) {
        table.quantize(kernels::row_major<const float>(x.row(r), 1, cols, cols), {bytes, 1, cols});
        float scale_and_shift[2];
        std::memcpy(scale_and_shift, bytes + kernels::int8_padded(cols), sizeof scale_and_shift);
        for (std::size_t c = 0; c < cols; ++c)
            result.row(r)[c] =
                scale_and_shift[0] * static_cast<float>(bytes[c] - kernels::int8_zero) +
                scale_and_shift[1];
    }
    return result;
}

std::vector<double> means_of(const MatrixView& x) {
    std::vector<double> means(static_cast<std::size_t>(x.cols));
    for (std::int64_t r = 0; r < x.rows; ++r)
        for (std::size_t c = 0; c < means.size(); ++c)
            means[c] += double{x.data[r * x.stride + static_cast<std::int64_t>(c)]};
    for (double& mean : means) mean /= static_cast<double>(x.rows);
    return means;
}

void subtract_means(MatrixView x, std::span<const double> means) {
    for (std::int64_t r = 0; r < x.rows; ++r)
        for (std::size_t c = 0; c < means.size(); ++c)
            x.data[r * x.stride + static_cast<std::int64_t>(c)] -= static_cast<float>(means[c]);
}

double relative_error(MatrixView x, MatrixView rounded_x, std::span<const float> weight,
                      std::vector<float>& rounded_weight) {
    const auto out = static_cast<std::int64_t>(weight.size()) / x.cols;
    Matrix y(x.rows, out), error(x.rows, out);
    const MatrixView w{const_cast<float*>(weight.data()), out, x.cols, x.cols},
        rounded_w{rounded_weight.data(), out, x.cols, x.cols};
    add_product_bt(1, x, w, y.view());
    add_product_bt(1, rounded_x, rounded_w, error.view());
    add_product_bt(-1, x, w, error.view());
    double sum = 0, error_sum = 0;
    for (Matrix* m : {&y, &error}) subtract_means(m->view(), means_of(m->view()));
    for (const float v : y.values) sum += double{v} * v;
    for (const float v : error.values) error_sum += double{v} * v;
    return sum > 0 ? std::sqrt(error_sum / sum) : 0;
}

}  // namespace vit::inline internal
