#include "engine/ops/gemm.h"

#include "engine/ops/onednn.h"
#include "vit/error.h"

namespace vit::inline internal {

namespace {

void sgemm(char transpose_a, char transpose_b, std::int64_t inner, float factor, MatrixView a,
           MatrixView b, MatrixView c) {
    if (c.rows == 0 || c.cols == 0 || inner == 0) return;
    const dnnl_status_t status =
        dnnl_sgemm(transpose_a, transpose_b, c.rows, c.cols, inner, factor, a.data, a.stride,
                   b.data, b.stride, 1.0f, c.data, c.stride);
    if (status != dnnl_success)
        throw Error(ErrorKind::internal, "oneDNN: sgemm failed, status " + std::to_string(status));
}

}  // namespace

void add_product(float factor, MatrixView a, MatrixView b, MatrixView c) {
    sgemm('N', 'N', a.cols, factor, a, b, c);
}
void add_product_at(float factor, MatrixView a, MatrixView b, MatrixView c) {
    sgemm('T', 'N', a.rows, factor, a, b, c);
}
void add_product_bt(float factor, MatrixView a, MatrixView b, MatrixView c) {
    sgemm('N', 'T', a.cols, factor, a, b, c);
}

}  // namespace vit::inline internal
