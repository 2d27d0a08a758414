#include "engine/ops/tile_linear.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace vit {

namespace {

constexpr std::int64_t panel = kernels::panel_rows;

}  // namespace

std::int64_t TileLinear::panels() const {
    return divide_up(out_, panel);
}

std::size_t TileLinear::packed_bytes() const {
    return static_cast<std::size_t>(panels() * panel * round_up(in_, panel)) *
           sizeof(kernels::BFloat16);
}

std::uint64_t TileLinear::layout() const {
    constexpr std::uint64_t form = 1;         // to be changed with the layout of TileLinears::pack
    std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
    for (const std::uint64_t n :
         {form, static_cast<std::uint64_t>(in_), static_cast<std::uint64_t>(out_)})
        hash = (hash ^ n) * 0x100000001b3;
    return hash;
}

void TileLinear::set(std::span<const float> bias, std::span<const float> out_scale,
                     const void* packed) {
    packed_ = static_cast<const kernels::BFloat16*>(packed);
    bias_.assign(static_cast<std::size_t>(panels() * panel), 0.0f);
    std::ranges::copy(bias, bias_.begin());
    for (std::size_t o = 0; o < out_scale.size(); ++o) bias_[o] *= out_scale[o];
}

void TileLinear::pack(const onednn::Weights& weight, std::span<const float> out_scale,
                      void* packed) const {
    const auto stride = static_cast<std::size_t>(round_up(in_, panel)),
               in = static_cast<std::size_t>(in_);
    const std::size_t row_bytes = in * item_size(weight.type);
    std::vector<kernels::BFloat16> rows(stride * panel);
    std::vector<float> wide(in);
    for (std::int64_t p = 0; p < panels(); ++p) {
        std::ranges::fill(rows, kernels::BFloat16{0});
        for (std::int64_t o = p * panel; o < std::min(out_, (p + 1) * panel); ++o) {
            const auto* bytes = static_cast<const std::byte*>(weight.data) +
                                static_cast<std::size_t>(o) * row_bytes;
            const auto row = std::span(rows).subspan(static_cast<std::size_t>(o % panel) * stride);
            if (weight.type == DType::bf16 && out_scale.empty()) {
                std::memcpy(row.data(), bytes, row_bytes);
                continue;
            }
            to_f32({"", weight.type, {in_}, {bytes, row_bytes}}, wide);
            if (!out_scale.empty())
                for (float& w : wide) w *= out_scale[static_cast<std::size_t>(o)];
            kernels_->round(wide.data(), in, kernels::row_major(row.data(), stride), 1, in);
        }
        kernels_->tiles->pack(rows.data(), in, static_cast<std::size_t>(p),
                              static_cast<std::size_t>(panels()),
                              static_cast<kernels::BFloat16*>(packed));
    }
}

Columns TileLinear::columns(std::int64_t first, std::int64_t last, std::int64_t all,
                            std::int64_t unit) const {
    unit = std::lcm(unit, panel);
    const std::int64_t cols = row_stride(out_), units = divide_up(cols, unit);
    return {std::min(units * first / all * unit, cols), std::min(units * last / all * unit, cols)};
}

std::size_t TileLinear::workspace_bytes(std::int64_t rows, Columns columns) const {
    return kernels_->tiles->workspace(static_cast<std::size_t>(rows), static_cast<std::size_t>(in_),
                                      static_cast<std::size_t>(divide_up(columns.count(), panel))) *
           sizeof(float);
}

BoundTileLinear TileLinear::bind(kernels::TileLinears::Run run, std::int64_t rows, Columns columns,
                                 kernels::Matrix<const kernels::BFloat16> x, const Output& output,
                                 float* workspace) const {
    const auto u = [](std::int64_t n) { return static_cast<std::size_t>(n); };
    const std::int64_t end =
        output.bf16_in_panels && columns.last == row_stride(out_) ? panels() * panel : columns.last;
    return {run,
            {.x = x,
             .rows = u(rows),
             .in = u(in_),
             .weights = packed_,
             .panels = u(panels()),
             .bias = bias_.data(),
             .first_panel = u(columns.first / panel),
             .last_panel = u(divide_up(columns.last, panel)),
             .end_column = u(end),
             .y = output.y,
             .y_stride = u(output.stride),
             .residual = output.residual,
             .residual_stride = u(output.residual_stride),
             .y_bf16 = output.bf16,
             .workspace = workspace}};
}

}  // namespace vit
