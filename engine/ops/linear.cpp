#include "engine/ops/linear.h"

#include <algorithm>
#include <cstring>

namespace vit {

LinearMethod choose_linear_method(kernels::Isa isa, DType type) {
    if (type == DType::bf16) return LinearMethod::matmul;
    // Measured (docs/performance.md): without AVX-512 oneDNN has no brgemm, its matmul is 10-50 %
    // slower than its 1×1 convolution and its sums depend on the number of rows.
    return isa == kernels::Isa::avx512 ? LinearMethod::matmul : LinearMethod::convolution;
}

Linear::Linear(LinearMethod method, std::int64_t in, std::int64_t out, std::int64_t rows,
               DType type, DType out_type)
    : method_(method), in_(in), out_(out), type_(type), out_type_(out_type) {
    layout_ = primitive(rows, false).weights;
}

void Linear::set(std::span<const float> bias, std::span<const float> out_scale,
                 const void* packed) {
    packed_ = packed;
    bias_.assign(static_cast<std::size_t>(row_stride(out_)), 0.0f);
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
        onednn::pack_convolution_weights(source, shape(1, false), layout_, packed);
    else
        onednn::pack_matmul_weights(source, shape(1, false), layout_, packed);
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
std::size_t Linear::y_row_bytes() const {
    return static_cast<std::size_t>(row_stride(out_)) * item_size(out_type_);
}

// Two rows of at least 16 elements each are whole cache lines, so what follows them is aligned.
std::size_t Linear::scratchpad_bytes(std::int64_t rows, bool accumulate) {
    const std::size_t own = primitive(rows, accumulate).scratchpad_bytes;
    return doubles(rows) ? 2 * (x_row_bytes() + y_row_bytes()) + own : own;
}

BoundLinear Linear::bind(std::int64_t rows, bool accumulate, const void* x, void* y,
                         std::byte* scratchpad) {
    const onednn::Primitive& made = primitive(rows, accumulate);
    if (!doubles(rows)) return {{made, x, packed_, bias_.data(), y, scratchpad}, {}};
    std::byte* const x_twice = scratchpad;
    std::byte* const y_twice = x_twice + 2 * x_row_bytes();
    return {{made, x_twice, packed_, bias_.data(), y_twice, y_twice + 2 * y_row_bytes()},
            {x, y, x_twice, y_twice, x_row_bytes(), y_row_bytes(), accumulate}};
}

onednn::LinearShape Linear::shape(std::int64_t rows, bool accumulate) const {
    return {rows, row_stride(in_), row_stride(out_), accumulate, type_, out_type_};
}

const onednn::Primitive& Linear::primitive(std::int64_t rows, bool accumulate) {
    if (doubles(rows)) rows = 2;
    const auto found = primitives_.find({rows, accumulate});
    if (found != primitives_.end()) return found->second;
    std::optional<onednn::memory::desc> layout;
    if (!primitives_.empty()) layout = layout_;
    onednn::Primitive made = method_ == LinearMethod::convolution
                                 ? onednn::make_convolution(shape(rows, accumulate), layout)
                                 : onednn::make_matmul(shape(rows, accumulate), layout);
    return primitives_.emplace(std::pair{rows, accumulate}, std::move(made)).first->second;
}

}  // namespace vit
