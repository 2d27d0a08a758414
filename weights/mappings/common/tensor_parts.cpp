#include "weights/mappings/common/tensor_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>

#include "engine/base/text.h"
#include "vit/error.h"

namespace vit::inline internal {

namespace {

/// The index in every dimension of the element `flat`: "[3, 17]".
std::string position(const Shape& shape, std::int64_t flat) {
    Shape at(shape.size());
    for (std::size_t i = shape.size(); i-- > 0;) {
        at[i] = flat % shape[i];
        flat /= shape[i];
    }
    return to_string(at);
}

/// Throws where a finite float64 became infinity because it does not fit in float32. Then the
/// checkpoint is not damaged.
void refuse_too_large(const TensorView& tensor, std::ptrdiff_t at) {
    double value = 0;
    std::memcpy(&value, tensor.data.data() + static_cast<std::size_t>(at) * sizeof value,
                sizeof value);
    if (std::isfinite(value))
        throw Error(ErrorKind::model,
                    fmt::format("tensor {}: expected values that fit in float32, found {} at {}; "
                                "save the weights as float32 where they are meant to be finite",
                                in_quotes(tensor.name), value, position(tensor.shape, at)));
}

}  // namespace

void check_finite(const TensorView& tensor, std::span<const float> values) {
    const auto bad =
        std::find_if(values.begin(), values.end(), [](float x) { return !std::isfinite(x); });
    if (bad == values.end()) return;
    if (tensor.dtype == DType::f64 && tensor.data.size() == values.size() * sizeof(double))
        refuse_too_large(tensor, bad - values.begin());
    const auto count = std::count_if(bad, values.end(), [](float x) { return !std::isfinite(x); });
    throw Error(
        ErrorKind::model,
        fmt::format("tensor {}: expected finite values, found {} at {} ({} such of {}); the "
                    "checkpoint is damaged, take another copy",
                    in_quotes(tensor.name), *bad, position(tensor.shape, bad - values.begin()),
                    count, values.size()));
}

void check_finite_in_place(const TensorView& tensor) {
    std::array<float, 4096> chunk;
    const std::size_t total = tensor.data.size() / sizeof(float);
    for (std::size_t at = 0; at < total; at += chunk.size()) {
        const std::size_t length = std::min(chunk.size(), total - at);
        std::memcpy(chunk.data(), tensor.data.data() + at * sizeof(float), length * sizeof(float));
        if (std::all_of(chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(length),
                        [](float x) { return std::isfinite(x); }))
            continue;
        check_finite(tensor, to_f32(tensor));
    }
}

TensorView rows(const TensorView& tensor, std::int64_t begin, std::int64_t count) {
    Shape shape = tensor.shape;
    const std::int64_t row =
        std::accumulate(shape.begin() + 1, shape.end(), std::int64_t{1}, std::multiplies<>());
    const auto bytes = static_cast<std::size_t>(row) * sizeof(float);
    shape[0] = count;
    return {"", DType::f32, std::move(shape),
            tensor.data.subspan(static_cast<std::size_t>(begin) * bytes,
                                static_cast<std::size_t>(count) * bytes)};
}

std::vector<float> permuted(std::span<const float> values, const Shape& shape,
                            std::span<const std::size_t> axes) {
    std::vector<std::size_t> stride(shape.size(), 1);
    for (std::size_t i = shape.size() - 1; i-- > 0;)
        stride[i] = stride[i + 1] * static_cast<std::size_t>(shape[i + 1]);
    std::vector<float> out;
    out.reserve(values.size());
    std::vector<std::int64_t> at(axes.size(), 0);
    std::size_t from = 0;
    while (out.size() < values.size()) {
        out.push_back(values[from]);
        for (std::size_t i = axes.size(); i-- > 0;) {
            from += stride[axes[i]];
            if (++at[i] < shape[axes[i]]) break;
            from -= stride[axes[i]] * static_cast<std::size_t>(at[i]);
            at[i] = 0;
        }
    }
    return out;
}

std::vector<float> columns(std::span<const float> matrix, std::int64_t width, std::int64_t begin,
                           std::int64_t count) {
    std::vector<float> out;
    for (std::size_t row = 0; row < matrix.size(); row += static_cast<std::size_t>(width)) {
        const auto part =
            matrix.subspan(row + static_cast<std::size_t>(begin), static_cast<std::size_t>(count));
        out.insert(out.end(), part.begin(), part.end());
    }
    return out;
}

std::vector<float> every_other(std::span<const float> values, std::size_t run, int turn) {
    std::vector<float> out;
    for (std::size_t at = static_cast<std::size_t>(turn) * run; at < values.size(); at += 2 * run) {
        const auto part = values.subspan(at, run);
        out.insert(out.end(), part.begin(), part.end());
    }
    return out;
}

double initial_lambda(std::int64_t block) {
    return 0.8 - 0.6 * std::exp(-0.3 * static_cast<double>(block));
}

float diff_lambda(std::span<const float> q1, std::span<const float> k1, std::span<const float> q2,
                  std::span<const float> k2, std::int64_t block) {
    const auto exponential = [](std::span<const float> q, std::span<const float> k) {
        return std::exp(static_cast<float>(std::inner_product(q.begin(), q.end(), k.begin(), 0.0)));
    };
    return static_cast<float>(static_cast<double>(exponential(q1, k1) - exponential(q2, k2)) +
                              initial_lambda(block));
}

}  // namespace vit::inline internal
