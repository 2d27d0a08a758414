#include "engine/ops/int8_linear.h"

#include <algorithm>

namespace vit::inline internal {

namespace {

std::size_t u(std::int64_t n) {
    return static_cast<std::size_t>(n);
}

}  // namespace

std::size_t Int8Linear::panels() const {
    return u(divide_up(out_, panel_columns()));
}

std::size_t Int8Linear::packed_bytes() const {
    return kernels().packed_bytes(u(in_), panels());
}

std::uint64_t Int8Linear::layout() const {
    constexpr std::uint64_t form = 2;  // change it when the layout of Int8Linears::pack changes
    return panel_layout(form, 8, panel_columns(), in_, out_);
}

void Int8Linear::set(std::span<const float> scales, std::span<const float> bias,
                     std::span<const float> out_scale, const void* packed) {
    packed_ = static_cast<const std::int8_t*>(packed);
    const std::size_t columns = panels() * kernels().panel_columns;
    scales_.assign(columns, 0.0f);
    bias_.assign(columns, 0.0f);
    std::ranges::copy(scales, scales_.begin());
    std::ranges::copy(bias, bias_.begin());
    for (std::size_t o = 0; o < out_scale.size(); ++o) {
        scales_[o] *= out_scale[o];
        bias_[o] *= out_scale[o];
    }
}

void Int8Linear::pack(std::span<const std::int8_t> weight, void* packed) const {
    const std::size_t in = u(in_), out = u(out_), stride = kernels::int8_padded(in),
                      width = kernels().panel_columns;
    std::vector<std::int8_t> rows(width * stride);
    for (std::size_t p = 0; p < panels(); ++p) {
        std::ranges::fill(rows, std::int8_t{0});
        for (std::size_t o = p * width; o < std::min(out, (p + 1) * width); ++o)
            std::ranges::copy(weight.subspan(o * in, in),
                              rows.begin() + static_cast<std::ptrdiff_t>((o - p * width) * stride));
        kernels().pack(rows.data(), in, p, panels(), static_cast<std::int8_t*>(packed));
    }
}

Columns Int8Linear::columns(std::int64_t first, std::int64_t last, std::int64_t all) const {
    return columns_of_panels(out_, panel_columns(), first, last, all);
}

std::size_t Int8Linear::workspace_bytes(std::int64_t rows) const {
    return kernels().workspace(u(rows)) * sizeof(std::int32_t);
}

BoundInt8Linear Int8Linear::bind(kernels::Int8Linears::Run run, Columns columns,
                                 kernels::Int8Rows x, const LinearOutput& output,
                                 std::byte* workspace) const {
    return {run,
            {.x = x,
             .weights = packed_,
             .panels = panels(),
             .scales = scales_.data(),
             .bias = bias_.data(),
             .first_panel = u(columns.first / panel_columns()),
             .last_panel = u(divide_up(columns.last, panel_columns())),
             .end_column = u(columns.last),
             .y = output.y,
             .y_stride = u(output.stride),
             .residual = output.residual,
             .residual_stride = u(output.residual_stride),
             .y_bf16 = output.bf16.data,
             .y_bf16_stride = output.bf16.row,
             .workspace = reinterpret_cast<std::int32_t*>(workspace)}};
}

}  // namespace vit::inline internal
