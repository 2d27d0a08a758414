#include "engine/ops/linear.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace vit::inline internal {

LinearMethod choose_linear_method(OnednnLevel level, bool kernels) {
    if (kernels) return LinearMethod::fused;
    // Measured (docs/performance-experiments.md). Without AVX-512, oneDNN 2.x has no brgemm: its
    // matmul is 10 to 50 % slower than its 1×1 convolution, and its sums depend on the number of
    // rows. The matmul of 3.x is as fast as that convolution, no faster. With AVX-512 the matmul is
    // a brgemm.
    return level < OnednnLevel::avx512 ? LinearMethod::convolution : LinearMethod::matmul;
}

Linear::Linear(LinearMethod method, std::int64_t in, std::int64_t out, std::int64_t rows,
               DType type, DType out_type)
    : method_(method), in_(in), out_(out), type_(type), out_type_(out_type) {
    layout_ = primitive({rows, row_stride(out_), false}).weights;
}

void Linear::set(std::span<const float> bias, std::span<const float> out_scale,
                 const void* packed) {
    packed_ = packed;
    const onednn::Blocks blocks = onednn::blocks(layout_, column_dimension());
    bias_.assign(static_cast<std::size_t>(round_up(row_stride(out_), blocks.size)), 0.0f);
    std::ranges::copy(bias, bias_.begin());
    for (std::size_t o = 0; o < out_scale.size(); ++o) bias_[o] *= out_scale[o];
}

void Linear::pack(const onednn::Weights& weight, std::span<const float> out_scale,
                  void* packed) const {
    const std::int64_t in_stride = row_stride(in_), out_rows = row_stride(out_);
    onednn::Weights source = weight;
    std::vector<float> changed;
    if (in_stride != in_ || out_rows != out_ || !out_scale.empty()) {
        changed.assign(static_cast<std::size_t>(in_stride * out_rows), 0.0f);
        const std::size_t row_bytes = static_cast<std::size_t>(in_) * item_size(weight.type);
        for (std::int64_t o = 0; o < out_; ++o) {
            const std::span row(changed.data() + o * in_stride, static_cast<std::size_t>(in_));
            const auto* bytes = static_cast<const std::byte*>(weight.data) +
                                static_cast<std::size_t>(o) * row_bytes;
            to_f32({"", weight.type, {in_}, {bytes, row_bytes}}, row);
            if (!out_scale.empty())
                for (float& w : row) w *= out_scale[static_cast<std::size_t>(o)];
        }
        source = {changed.data(), DType::f32};
    }
    if (method_ == LinearMethod::convolution)
        onednn::pack_convolution_weights(source, shape({1, row_stride(out_), false}), layout_,
                                         packed);
    else
        onednn::pack_matmul_weights(source, shape({1, row_stride(out_), false}), layout_, packed);
}

Columns Linear::columns(std::int64_t first, std::int64_t last, std::int64_t all,
                        std::int64_t unit) const {
    unit = std::lcm(unit, onednn::blocks(layout_, column_dimension()).size);
    const std::int64_t cols = row_stride(out_), units = divide_up(cols, unit);
    return {std::min(units * first / all * unit, cols), std::min(units * last / all * unit, cols)};
}

std::int64_t Linear::stride(Columns columns) const {
    if (columns.count() == row_stride(out_)) return row_stride(out_);
    return round_up(columns.count(), onednn::blocks(layout_, column_dimension()).size);
}

void BoundLinear::execute() const {
    if (!lone_.x) return call_.execute();
    for (const std::size_t row : {0, 1}) {
        std::memcpy(lone_.x_twice + row * lone_.x_bytes, lone_.x, lone_.x_bytes);
        if (lone_.accumulate)
            std::memcpy(lone_.y_twice + row * lone_.y_bytes, lone_.y, lone_.y_bytes);
    }
    call_.execute();
    std::memcpy(lone_.y, lone_.y_twice, lone_.y_bytes);
}

bool Linear::doubles(std::int64_t rows) const {
    return rows == 1 && method_ == LinearMethod::matmul;
}
std::size_t Linear::x_row_bytes() const {
    return static_cast<std::size_t>(row_stride(in_)) * item_size(type_);
}
std::size_t Linear::y_row_bytes(Columns columns) const {
    return static_cast<std::size_t>(stride(columns)) * item_size(out_type_);
}

std::size_t Linear::scratchpad_bytes(std::int64_t rows, bool accumulate, Columns columns) {
    const std::size_t own = primitive({rows, stride(columns), accumulate}).scratchpad_bytes;
    // Two rows of at least 16 elements each fill whole cache lines, so the memory after them is
    // aligned.
    return doubles(rows) ? 2 * (x_row_bytes() + y_row_bytes(columns)) + own : own;
}

BoundLinear Linear::bind(std::int64_t rows, bool accumulate, Columns columns, const void* x,
                         void* y, std::byte* scratchpad) {
    const onednn::Blocks blocks = onednn::blocks(layout_, column_dimension());
    const std::int64_t elements = columns.first / blocks.size * blocks.stride;
    const onednn::Primitive& made = primitive({rows, stride(columns), accumulate});
    const std::byte* const weights = static_cast<const std::byte*>(packed_) +
                                     elements * static_cast<std::int64_t>(item_size(type_));
    const float* const bias = bias_.data() + columns.first;
    if (!doubles(rows)) return {{made, x, weights, bias, y, scratchpad}, {}};
    const std::size_t x_bytes = x_row_bytes(), y_bytes = y_row_bytes(columns);
    std::byte* const x_twice = scratchpad;
    std::byte* const y_twice = x_twice + 2 * x_bytes;
    return {{made, x_twice, weights, bias, y_twice, y_twice + 2 * y_bytes},
            {x, y, x_twice, y_twice, x_bytes, y_bytes, accumulate}};
}

onednn::LinearShape Linear::shape(const Key& key) const {
    return {key.rows, row_stride(in_), key.columns, key.accumulate, type_, out_type_};
}

const onednn::Primitive& Linear::primitive(const Key& asked) {
    const Key key{doubles(asked.rows) ? 2 : asked.rows, asked.columns, asked.accumulate};
    const auto found = primitives_.find(key);
    if (found != primitives_.end()) return found->second;
    std::optional<onednn::memory::desc> layout;
    if (!primitives_.empty()) {
        layout = key.columns == row_stride(out_)
                     ? layout_
                     : onednn::first_columns(layout_, column_dimension(), key.columns);
    }
    onednn::Primitive made = method_ == LinearMethod::convolution
                                 ? onednn::make_convolution(shape(key), layout)
                                 : onednn::make_matmul(shape(key), layout);
    return primitives_.emplace(key, std::move(made)).first->second;
}

}  // namespace vit::inline internal
