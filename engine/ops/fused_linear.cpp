#include "engine/ops/fused_linear.h"

#include <algorithm>
#include <cstring>

namespace vit::inline internal {

namespace {

/// Rows are padded to a multiple of this before they are packed.
constexpr std::int64_t unit = 32;

}  // namespace

template <class T>
std::int64_t FusedLinear<T>::panels() const {
    return divide_up(out_, panel_columns());
}

template <class T>
std::size_t FusedLinear<T>::packed_bytes() const {
    // Tiles read inputs in whole steps.
    const std::int64_t inputs = in_panels ? round_up(in_, unit) : in_;
    return static_cast<std::size_t>(panels() * panel_columns() * inputs) * sizeof(T);
}

template <class T>
std::uint64_t FusedLinear<T>::layout() const {
    constexpr std::uint64_t form = 2;  // change it when the layout of FusedLinears::pack changes
    return panel_layout(form, sizeof(T), panel_columns(), in_, out_);
}

template <class T>
void FusedLinear<T>::set(std::span<const float> bias, std::span<const float> out_scale,
                         const void* packed) {
    packed_ = static_cast<const T*>(packed);
    bias_.assign(static_cast<std::size_t>(panels() * panel_columns()), 0.0f);
    std::ranges::copy(bias, bias_.begin());
    for (std::size_t o = 0; o < out_scale.size(); ++o) bias_[o] *= out_scale[o];
}

template <class T>
void FusedLinear<T>::pack(const onednn::Weights& weight, std::span<const float> out_scale,
                          void* packed) const {
    const auto stride = static_cast<std::size_t>(round_up(in_, unit)),
               in = static_cast<std::size_t>(in_);
    constexpr DType type = std::is_same_v<T, float> ? DType::f32 : DType::bf16;
    const std::size_t row_bytes = in * item_size(weight.type);
    std::vector<T> rows(stride * kernels().panel_columns);
    std::vector<float> wide(in);
    for (std::int64_t p = 0; p < panels(); ++p) {
        std::ranges::fill(rows, T{0});
        const std::int64_t first = p * panel_columns();
        for (std::int64_t o = first; o < std::min(out_, first + panel_columns()); ++o) {
            const auto* bytes = static_cast<const std::byte*>(weight.data) +
                                static_cast<std::size_t>(o) * row_bytes;
            T* const row = rows.data() + static_cast<std::size_t>(o - first) * stride;
            if (weight.type == type && out_scale.empty()) {
                std::memcpy(row, bytes, row_bytes);
                continue;
            }
            to_f32({"", weight.type, {in_}, {bytes, row_bytes}}, wide);
            if (!out_scale.empty())
                for (float& w : wide) w *= out_scale[static_cast<std::size_t>(o)];
            if constexpr (std::is_same_v<T, float>)
                std::ranges::copy(wide, row);
            else
                kernels_->round(kernels::row_major<const float>(wide.data(), 1, in, in),
                                kernels::row_major(row, 1, in, stride));
        }
        kernels().pack(rows.data(), in, static_cast<std::size_t>(p),
                       static_cast<std::size_t>(panels()), static_cast<T*>(packed));
    }
}

template <class T>
Columns FusedLinear<T>::columns(std::int64_t first, std::int64_t last, std::int64_t all) const {
    return columns_of_panels(out_, panel_columns(), first, last, all);
}

template <class T>
std::size_t FusedLinear<T>::workspace_bytes(std::int64_t rows, Columns columns) const {
    return kernels().workspace(
               static_cast<std::size_t>(rows), static_cast<std::size_t>(in_),
               static_cast<std::size_t>(divide_up(columns.count(), panel_columns()))) *
           sizeof(float);
}

template <class T>
BoundFusedLinear<T> FusedLinear<T>::bind(typename kernels::FusedLinears<T>::Run run,
                                         Columns columns, kernels::Matrix<const T> x,
                                         const Output& output, float* workspace) const {
    const auto u = [](std::int64_t n) { return static_cast<std::size_t>(n); };
    const std::int64_t end = output.bf16_in_panels && columns.last == row_stride(out_)
                                 ? panels() * panel_columns()
                                 : columns.last;
    return {run,
            {.x = x,
             .weights = packed_,
             .panels = u(panels()),
             .bias = bias_.data(),
             .first_panel = u(columns.first / panel_columns()),
             .last_panel = u(divide_up(columns.last, panel_columns())),
             .end_column = u(end),
             .y = output.y,
             .y_stride = u(output.stride),
             .residual = output.residual,
             .residual_stride = u(output.residual_stride),
             .y_bf16 = output.bf16,
             .workspace = workspace}};
}

template class FusedLinear<float>;
template class FusedLinear<kernels::BFloat16>;

}  // namespace vit::inline internal
