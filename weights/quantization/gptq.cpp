#include "weights/quantization/gptq.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/base/threads.h"
#include "engine/model/model_tensors.h"
#include "vit/error.h"

namespace vit::inline internal {

namespace {

constexpr std::int64_t block_size = 64;

std::size_t u(std::int64_t n) {
    return static_cast<std::size_t>(n);
}

/// Factorises a diagonal block in place. Returns false where it is not positive definite.
bool factor_block(MatrixView a) {
    for (std::int64_t j = 0; j < a.cols; ++j) {
        for (std::int64_t i = j; i < a.rows; ++i) {
            const float *x = a.data + i * a.stride, *y = a.data + j * a.stride;
            double sum = x[j];
            for (std::int64_t k = 0; k < j; ++k) sum -= double{x[k]} * double{y[k]};
            if (i == j && !(sum > 0)) return false;
            a.data[i * a.stride + j] =
                static_cast<float>(i == j ? std::sqrt(sum) : sum / double{y[j]});
        }
    }
    return true;
}

/// x := x L⁻ᵀ, for the lower triangular L.
void solve_rows(MatrixView lower, MatrixView x) {
    parallel(usable_threads(), [&](int thread, int threads) {
        for (std::int64_t r = thread; r < x.rows; r += threads) {
            float* row = x.data + r * x.stride;
            for (std::int64_t j = 0; j < x.cols; ++j) {
                const float* l = lower.data + j * lower.stride;
                float sum = row[j];
                for (std::int64_t k = 0; k < j; ++k) sum -= row[k] * l[k];
                row[j] = sum / l[j];
            }
        }
    });
}

/// Replaces the lower triangle of `a` by its Cholesky factor, block by block. Returns false where
/// `a` is not positive definite.
bool factor(MatrixView a) {
    for (std::int64_t k = 0; k < a.rows; k += block_size) {
        const std::int64_t size = std::min(block_size, a.rows - k), after = k + size,
                           rest = a.rows - after;
        const MatrixView diagonal = a.block(k, k, size, size),
                         below = a.block(after, k, rest, size);
        if (!factor_block(diagonal)) return false;
        solve_rows(diagonal, below);
        // Only the lower triangle of the rest is needed.
        constexpr std::int64_t strip = 512;
        for (std::int64_t j = 0; j < rest; j += strip) {
            const std::int64_t width = std::min(strip, rest - j);
            add_product_bt(-1, below.block(j, 0, rest - j, size), below.block(j, 0, width, size),
                           a.block(after + j, after + j, rest - j, width));
        }
    }
    return true;
}

/// The columns of a block of one output: rounds them from the last to the first.
struct RowRounding {
    std::span<const float> weights;  ///< [in], in the given order
    std::span<const std::int32_t> order;
    float scale;
    std::span<std::int8_t> numbers;  ///< [in], not in that order

    /// Returns the part of (w − ŵ)ᵀ L Lᵀ (w − ŵ) that belongs to these columns.
    double round(MatrixView cholesky, std::int64_t first, std::int64_t last, const float* carried,
                 float* errors) {
        double objective = 0;
        for (std::int64_t i = last - 1; i >= first; --i) {
            float sum = carried[i];
            for (std::int64_t j = i + 1; j < last; ++j)
                sum += cholesky.data[j * cholesky.stride + i] * errors[j];
            const float diagonal = cholesky.data[i * cholesky.stride + i],
                        wanted = weights[u(i)] + sum / diagonal;
            const std::size_t at = u(order[u(i)]), neighbour = at ^ 1;
            // The neighbour is 0 while it is not yet rounded.
            const int taken = neighbour < numbers.size() ? std::abs(numbers[neighbour]) : 0;
            numbers[at] = round_to_int8(wanted, scale, std::min(127, int8_pair_limit - taken));
            const float value = scale * static_cast<float>(numbers[at]);
            errors[i] = weights[u(i)] - value;
            objective += std::pow(double{diagonal} * (wanted - value), 2);
        }
        return objective;
    }
};

/// All outputs, with scales that are `shrink` times the smallest that keep every weight.
struct Attempt {
    QuantizedWeight rounded;
    std::vector<double> objectives;  ///< [out]

    Attempt(std::span<const float> weight, std::size_t out, const InputFactor& inputs, float shrink)
        : rounded{std::vector<std::int8_t>(weight.size()), std::vector<float>(out)},
          objectives(out) {
        const std::size_t in = weight.size() / out;
        const auto rows = static_cast<std::int64_t>(out), cols = static_cast<std::int64_t>(in);
        std::vector<float> ordered(weight.size()), errors(weight.size()), carried(weight.size());
        for (std::size_t o = 0; o < out; ++o) {
            rounded.scales[o] = shrink * smallest_scale(weight.subspan(o * in, in));
            for (std::size_t i = 0; i < in; ++i)
                ordered[o * in + i] = weight[o * in + u(inputs.order[i])];
        }
        // carried = the sum over rounded inputs j of L[j, i] · error[j], for each input i.
        const MatrixView cholesky{const_cast<float*>(inputs.cholesky.data()), cols, cols, cols},
            errors_view{errors.data(), rows, cols, cols},
            carried_view{carried.data(), rows, cols, cols};
        for (std::int64_t last = cols; last > 0;) {
            const std::int64_t first = (last - 1) / block_size * block_size;
            parallel(usable_threads(), [&](int thread, int threads) {
                for (std::size_t o = static_cast<std::size_t>(thread); o < out;
                     o += static_cast<std::size_t>(threads)) {
                    if (!(rounded.scales[o] > 0)) continue;
                    RowRounding row{std::span(ordered).subspan(o * in, in), inputs.order,
                                    rounded.scales[o],
                                    std::span(rounded.numbers).subspan(o * in, in)};
                    objectives[o] += row.round(cholesky, first, last, carried.data() + o * in,
                                               errors.data() + o * in);
                }
            });
            add_product(1, errors_view.block(0, first, rows, last - first),
                        cholesky.block(first, 0, last - first, first),
                        carried_view.block(0, 0, rows, first));
            last = first;
        }
    }
};

}  // namespace

InputFactor factor_inputs(MatrixView rows) {
    const std::int64_t in = rows.cols;
    std::vector<float> covariance(u(in * in));
    const MatrixView all{covariance.data(), in, in, in};
    add_product_at(1.0f / static_cast<float>(rows.rows), rows, rows, all);

    InputFactor result{std::vector<std::int32_t>(u(in)), std::vector<float>(u(in * in))};
    std::iota(result.order.begin(), result.order.end(), 0);
    const auto variance = [&](std::int32_t i) { return covariance[u(i * (in + 1))]; };
    std::ranges::stable_sort(result.order, {}, variance);
    double sum = 0;
    for (std::int32_t i = 0; i < in; ++i) sum += double{variance(i)};
    if (!(sum > 0)) sum = 1;  // constant inputs
    // More damping where rounding errors of float32 spoil the factor.
    for (double share = 0.01; share < 1e3; share *= 10) {
        const auto damping = static_cast<float>(share * sum / static_cast<double>(in));
        for (std::int64_t i = 0; i < in; ++i)
            for (std::int64_t j = 0; j <= i; ++j)
                result.cholesky[u(i * in + j)] =
                    covariance[u(result.order[u(i)] * in + result.order[u(j)])] +
                    (i == j ? damping : 0.0f);
        if (factor({result.cholesky.data(), in, in, in})) return result;
    }
    throw Error(ErrorKind::internal,
                "quantisation: the covariance of a linear's inputs is not finite");
}

QuantizedWeight round_with_gptq(std::span<const float> weight, std::size_t out,
                                const InputFactor& inputs) {
    QuantizedWeight best;
    std::vector<double> least;
    // A smaller scale rounds finer and cuts off the largest weights of an output.
    for (const float shrink : {1.0f, 0.9f, 0.8f, 0.7f}) {
        Attempt attempt(weight, out, inputs, shrink);
        if (best.scales.empty()) {
            best = std::move(attempt.rounded);
            least = std::move(attempt.objectives);
            continue;
        }
        const std::size_t in = best.in();
        for (std::size_t o = 0; o < out; ++o) {
            if (!(attempt.objectives[o] < least[o])) continue;
            least[o] = attempt.objectives[o];
            best.scales[o] = attempt.rounded.scales[o];
            std::copy_n(attempt.rounded.numbers.begin() + static_cast<std::ptrdiff_t>(o * in), in,
                        best.numbers.begin() + static_cast<std::ptrdiff_t>(o * in));
        }
    }
    return best;
}

}  // namespace vit::inline internal
