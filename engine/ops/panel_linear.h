// What linears with our own kernels share. Their weights are packed in panels of neighbouring
// columns.
#pragma once

#include <cstdint>

#include "engine/kernels/kernels.h"
#include "engine/ops/linear.h"

namespace vit::inline internal {

/// Where a linear writes its result: to float32 rows, with a residual added where one is set, or to
/// bfloat16. Column 0 is column 0 of the whole linear, also where only some columns are computed.
struct LinearOutput {
    float* y = nullptr;
    std::int64_t stride = 0;
    const float* residual = nullptr;
    std::int64_t residual_stride = 0;
    kernels::Matrix<kernels::BFloat16> bf16{};
    bool bf16_in_panels = false;
};

/// The columns of the parts [first, last) of `all` parts, which may be none. A part is a number of
/// whole panels of `width` columns. `out`: columns of the linear.
Columns columns_of_panels(std::int64_t out, std::int64_t width, std::int64_t first,
                          std::int64_t last, std::int64_t all);

/// A number that identifies the layout of packed weights [out, in]. `form` and `type` differ for
/// each order of the weights and for each type of their elements.
std::uint64_t panel_layout(std::uint64_t form, std::uint64_t type, std::int64_t width,
                           std::int64_t in, std::int64_t out);

}  // namespace vit::inline internal
