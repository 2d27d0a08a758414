// Code that the tests of all kinds of linear layers share.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/random.h"
#include "engine/ops/linear.h"
#include "tests/support/models.h"

namespace vit::test {

inline std::vector<float> random_values(const std::string& name, std::int64_t count) {
    std::vector<float> values(static_cast<std::size_t>(count));
    fill_random(name, 5, values);
    return values;
}

/// Checks that found [rows, row_stride(out)] is x Wᵀ + bias of x [rows, in] to within 1e-6, and
/// that its padding is zero.
inline void expect_float64_linear(const std::vector<float>& found, const std::vector<float>& x,
                                  const std::vector<float>& weight, const std::vector<float>& bias,
                                  std::int64_t rows) {
    const auto out = static_cast<std::int64_t>(bias.size()),
               in = static_cast<std::int64_t>(weight.size()) / out;
    std::vector<double> expected;
    std::vector<float> dense;
    for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t o = 0; o < row_stride(out); ++o) {
            const float y = found[static_cast<std::size_t>(r * row_stride(out) + o)];
            if (o >= out) {
                EXPECT_EQ(y, 0.0f) << "padding";
                continue;
            }
            double sum = static_cast<double>(bias[static_cast<std::size_t>(o)]);
            for (std::int64_t i = 0; i < in; ++i)
                sum += static_cast<double>(x[static_cast<std::size_t>(r * in + i)]) *
                       static_cast<double>(weight[static_cast<std::size_t>(o * in + i)]);
            expected.push_back(sum);
            dense.push_back(y);
        }
    EXPECT_LE(relative_l2(dense, expected), 1e-6);
}

}  // namespace vit::test
