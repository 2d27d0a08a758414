#include "weights/quantization/gptq.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "engine/model/model_tensors.h"

namespace vit::inline internal {
namespace {

using Doubles = std::vector<double>;

std::vector<float> normal_numbers(std::size_t count, unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    std::vector<float> result(count);
    for (float& x : result) x = normal(random);
    return result;
}

/// Correlated inputs with mean 0, [rows, in].
std::vector<float> correlated_rows(std::size_t rows, std::size_t in) {
    std::vector<float> x = normal_numbers(rows * in, 1), common = normal_numbers(rows, 2),
                       weight = normal_numbers(in, 3);
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t i = 0; i < in; ++i)
            x[r * in + i] =
                (x[r * in + i] + 2 * common[r] * weight[i]) * (1 + 3 * static_cast<float>(i % 5));
    for (std::size_t i = 0; i < in; ++i) {
        float mean = 0;
        for (std::size_t r = 0; r < rows; ++r) mean += x[r * in + i] / static_cast<float>(rows);
        for (std::size_t r = 0; r < rows; ++r) x[r * in + i] -= mean;
    }
    return x;
}

/// The Cholesky factor [n, n] of a symmetric matrix, lower triangular.
Doubles cholesky(Doubles a, std::size_t n) {
    for (std::size_t j = 0; j < n; ++j)
        for (std::size_t i = 0; i < n; ++i) {
            if (i < j) {
                a[i * n + j] = 0;
                continue;
            }
            double sum = a[i * n + j];
            for (std::size_t k = 0; k < j; ++k) sum -= a[i * n + k] * a[j * n + k];
            a[i * n + j] = i == j ? std::sqrt(sum) : sum / a[j * n + j];
        }
    return a;
}

Doubles inverse(const Doubles& a, std::size_t n) {
    const Doubles l = cholesky(a, n);
    Doubles result(n * n);
    for (std::size_t c = 0; c < n; ++c) {
        Doubles y(n);
        for (std::size_t i = 0; i < n; ++i) {
            double sum = i == c ? 1 : 0;
            for (std::size_t k = 0; k < i; ++k) sum -= l[i * n + k] * y[k];
            y[i] = sum / l[i * n + i];
        }
        for (std::size_t i = n; i-- > 0;) {
            double sum = y[i];
            for (std::size_t k = i + 1; k < n; ++k) sum -= l[k * n + i] * result[k * n + c];
            result[i * n + c] = sum / l[i * n + i];
        }
    }
    return result;
}

/// GPTQ as its paper describes it (algorithm 1, with the largest variance first).
QuantizedWeight textbook_gptq(std::span<const float> weight, std::size_t out,
                              std::span<const float> x, std::size_t rows) {
    const std::size_t in = weight.size() / out;
    Doubles h(in * in);
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t i = 0; i < in; ++i)
            for (std::size_t j = 0; j < in; ++j)
                h[i * in + j] += double{x[r * in + i]} * x[r * in + j] / static_cast<double>(rows);
    double trace = 0;
    for (std::size_t i = 0; i < in; ++i) trace += h[i * in + i];
    std::vector<std::size_t> order(in);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::greater<>(), [&](std::size_t i) { return h[i * in + i]; });
    Doubles ordered(in * in);
    for (std::size_t i = 0; i < in; ++i)
        for (std::size_t j = 0; j < in; ++j)
            ordered[i * in + j] =
                h[order[i] * in + order[j]] + (i == j ? 0.01 * trace / static_cast<double>(in) : 0);
    // Upper triangular U with UᵀU = H⁻¹ is the transposed Cholesky factor of H⁻¹.
    const Doubles lower = cholesky(inverse(ordered, in), in);

    QuantizedWeight result{std::vector<std::int8_t>(weight.size()), std::vector<float>(out)};
    for (std::size_t o = 0; o < out; ++o) {
        const float scale = result.scales[o] = smallest_scale(weight.subspan(o * in, in));
        Doubles w(in);
        for (std::size_t i = 0; i < in; ++i) w[i] = weight[o * in + order[i]];
        for (std::size_t i = 0; i < in; ++i) {
            std::int8_t& number = result.numbers[o * in + order[i]];
            const std::size_t neighbour = order[i] ^ 1;
            const int taken = neighbour < in ? std::abs(result.numbers[o * in + neighbour]) : 0;
            number = round_to_int8(static_cast<float>(w[i]), scale,
                                   std::min(127, int8_pair_limit - taken));
            const double error = (w[i] - double{scale} * number) / lower[i * in + i];
            for (std::size_t j = i + 1; j < in; ++j) w[j] -= error * lower[j * in + i];
        }
    }
    return result;
}

double output_error(std::span<const float> weight, const QuantizedWeight& rounded,
                    std::span<const float> x, std::size_t rows) {
    const std::vector<float> values = rounded.floats();
    const std::size_t in = x.size() / rows;
    double sum = 0;
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t o = 0; o < rounded.out(); ++o) {
            double y = 0;
            for (std::size_t i = 0; i < in; ++i)
                y += double{x[r * in + i]} * (values[o * in + i] - weight[o * in + i]);
            sum += y * y;
        }
    return std::sqrt(sum);
}

InputFactor factor_of(std::vector<float> x, std::size_t rows) {
    const auto r = static_cast<std::int64_t>(rows), in = static_cast<std::int64_t>(x.size()) / r;
    return factor_inputs({x.data(), r, in, in});
}

void expect_limits(const QuantizedWeight& rounded) {
    for (std::size_t o = 0; o < rounded.out(); ++o)
        for (std::size_t i = 0; i < rounded.in(); ++i) {
            const int number = rounded.numbers[o * rounded.in() + i];
            ASSERT_LE(std::abs(number), 127);
            if (i % 2 == 1) {
                ASSERT_LE(std::abs(number) + std::abs(rounded.numbers[o * rounded.in() + i - 1]),
                          int8_pair_limit);
            }
        }
}

TEST(Gptq, IsTheTextbooks) {
    constexpr std::size_t rows = 600, out = 24;
    for (const std::size_t in : {2, 63, 65, 200}) {
        const std::vector<float> x = correlated_rows(rows, in),
                                 weight = normal_numbers(out * in, 4);
        const QuantizedWeight expected = textbook_gptq(weight, out, x, rows),
                              found = round_with_gptq(weight, out, factor_of(x, rows));
        EXPECT_EQ(found.scales, expected.scales);
        // Sums are rounded differently, and a number that is halfway may differ.
        std::size_t different = 0;
        for (std::size_t i = 0; i < found.numbers.size(); ++i)
            different += found.numbers[i] != expected.numbers[i] ? 1 : 0;
        EXPECT_LE(different, found.numbers.size() / 100) << in;
        expect_limits(found);
    }
}

TEST(Gptq, ChangesOutputsLessThanRoundingToNearest) {
    constexpr std::size_t rows = 1000, in = 130, out = 50;
    const std::vector<float> x = correlated_rows(rows, in), weight = normal_numbers(out * in, 5);
    const QuantizedWeight nearest = round_to_nearest(weight, out),
                          found = round_with_gptq(weight, out, factor_of(x, rows));
    expect_limits(nearest);
    EXPECT_LT(output_error(weight, found, x, rows), 0.6 * output_error(weight, nearest, x, rows));
}

TEST(Gptq, KeepsUnusualWeightsAndInputs) {
    constexpr std::size_t rows = 20, in = 5;
    const std::vector<float> constant(rows * in, 0.0f);
    std::vector<float> weight(3 * in, 0.0f);
    weight[in] = 1e30f;  // one huge weight among zeros
    for (std::size_t i = 0; i < in; ++i) weight[2 * in + i] = 1e-40f;
    const QuantizedWeight found = round_with_gptq(weight, 3, factor_of(constant, rows));
    const std::vector<float> values = found.floats();
    EXPECT_EQ(found.scales[0], 0);
    EXPECT_EQ(found.scales[2], 0);
    for (std::size_t i = 0; i < values.size(); ++i)
        EXPECT_NEAR(values[i], i == in ? 1e30f : 0.0f, 1e24f) << i;
    // Fewer rows than inputs.
    const std::vector<float> few = correlated_rows(3, 40), other = normal_numbers(2 * 40, 6);
    expect_limits(round_with_gptq(other, 2, factor_of(few, 3)));
}

TEST(RoundToNearest, KeepsBothLimits) {
    // Rounding would raise both of a pair: 63.5 + 64.5.
    const std::vector<float> weight{63.5f, 64.5f, 1, 127, 0, 0, -64.5f, 63.5f, 127};
    const QuantizedWeight found = round_to_nearest(weight, 1);
    expect_limits(found);
    EXPECT_EQ(found.scales[0], 1);
    for (std::size_t i = 0; i < weight.size(); ++i)
        EXPECT_NEAR(found.numbers[i], weight[i], 1) << i;
    for (const std::size_t in : {1, 2, 3, 777})
        expect_limits(round_to_nearest(normal_numbers(40 * in, 8), 40));
}

}  // namespace
}  // namespace vit::inline internal
