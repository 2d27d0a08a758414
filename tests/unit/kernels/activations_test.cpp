#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <stdexcept>
#include <string>
#include <string_view>

#include "tests/unit/kernels/kernels_test.h"

namespace vit::kernels {
namespace {

using Activation = void (*)(float*, std::size_t);

struct Case {
    const char* name;
    Activation Activations<float>::*kernel;
    double (*reference)(double);
};

double sigmoid(double x) {
    return 1.0 / (1.0 + std::exp(-x));
}

const Case cases[] = {
    {"gelu", &Activations<float>::gelu,
     [](double x) { return 0.5 * x * std::erfc(-x / std::numbers::sqrt2); }},
    {"gelu_tanh", &Activations<float>::gelu_tanh,
     [](double x) {
         // 0.5 x (1 + tanh(u)), without the cancellation in 1 + tanh(u)
         const double u = std::sqrt(2.0 / std::numbers::pi) * (x + 0.044715 * x * x * x);
         return x * sigmoid(2.0 * u);
     }},
    {"quick_gelu", &Activations<float>::quick_gelu,
     [](double x) { return x * sigmoid(1.702 * x); }},
    {"silu", &Activations<float>::silu, [](double x) { return x * sigmoid(x); }},
    {"relu", &Activations<float>::relu, [](double x) { return x > 0.0 ? x : 0.0; }},
    {"tanh", &Activations<float>::tanh, [](double x) { return std::tanh(x); }},
};

const Case& find(std::string_view name) {
    for (const Case& c : cases)
        if (name == c.name) return c;
    throw std::logic_error(std::string(name));
}

float one(const Table& table, const Case& c, float x) {
    (table.activations.*c.kernel)(&x, 1);
    return x;
}

/// Evenly spaced floats from low to high, and a geometric series towards zero on both sides.
std::vector<float> grid(double low, double high) {
    constexpr int steps = 1'000'000;
    std::vector<float> x;
    for (int i = 0; i <= steps; ++i)
        x.push_back(static_cast<float>(low + (high - low) * i / steps));
    for (double small = 1e-30; small < std::min(-low, high); small *= 1.001) {
        x.push_back(static_cast<float>(small));
        x.push_back(static_cast<float>(-small));
    }
    return x;
}

/// Checks the largest absolute error on [low, high] and the largest relative error on
/// [relative_from, high].
void expect_errors(const Table& table, const Case& c, double low, double high, double absolute,
                   double relative_from, double relative) {
    const std::vector<float> x = grid(low, high);
    std::vector<float> y = x;
    (table.activations.*c.kernel)(y.data(), y.size());
    LargestError absolute_error;
    LargestError relative_error;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double expected = c.reference(x[i]);
        const double error = std::abs(y[i] - expected);
        absolute_error.note(error, x[i]);
        if (x[i] >= relative_from && x[i] != 0.0F)
            relative_error.note(error / std::abs(expected), x[i]);
    }
    absolute_error.expect_at_most(absolute, "absolute_error");
    relative_error.expect_at_most(relative, "relative_error");
}

class Activations : public EveryTable {};

// The limits are twice the measured errors, which are written beside the kernels.

TEST_P(Activations, GeluIsAccurate) {
    expect_errors(*GetParam(), find("gelu"), -9, 9, 4.9e-7, 0, 1.2e-6);
    expect_errors(*GetParam(), find("gelu"), -4, 4, 3.4e-7, -3, 4.8e-6);
}

TEST_P(Activations, GeluTanhIsAccurate) {
    expect_errors(*GetParam(), find("gelu_tanh"), -9, 9, 1.1e-6, -3, 1.8e-6);
}

TEST_P(Activations, QuickGeluIsAccurate) {
    expect_errors(*GetParam(), find("quick_gelu"), -20, 20, 1.5e-6, -3, 8.4e-7);
}

TEST_P(Activations, SiluIsAccurate) {
    expect_errors(*GetParam(), find("silu"), -20, 20, 2.6e-6, -20, 3.9e-7);
}

TEST_P(Activations, TanhIsAccurate) {
    expect_errors(*GetParam(), find("tanh"), -12, 12, 1.5e-7, -12, 2.7e-7);
}

TEST_P(Activations, ReluIsExact) {
    expect_errors(*GetParam(), find("relu"), -9, 9, 0, 0, 0);
}

// An element has the same bits alone, in a vector, in a tail, aligned or not.
TEST_P(Activations, ResultDoesNotDependOnPlace) {
    const Table& table = *GetParam();
    const std::vector<float> x = normal_numbers(3072, 0.0F, 3.0F);
    for (const Case& c : cases) {
        std::vector<float> alone;
        for (const float value : x) alone.push_back(one(table, c, value));
        for (const std::size_t count : lengths())
            for (const std::size_t misalignment : {0, 1, 3, 7, 13}) {
                GuardedFloats y(count, misalignment);
                const std::size_t first = (count * 7) % (x.size() - count + 1);
                std::memcpy(y.data(), x.data() + first, count * sizeof(float));
                (table.activations.*c.kernel)(y.data(), count);
                ASSERT_TRUE(same_bits(y.data(), alone.data() + first, count))
                    << c.name << " " << count << " " << misalignment;
                ASSERT_TRUE(y.intact()) << c.name << " " << count << " " << misalignment;
            }
    }
}

TEST_P(Activations, NothingToDo) {
    for (const Case& c : cases) {
        GuardedFloats x(0);
        (GetParam()->activations.*c.kernel)(x.data(), 0);
        EXPECT_TRUE(x.intact()) << c.name;
    }
}

TEST_P(Activations, NanStaysNan) {
    for (const Case& c : cases)
        for (const float nan :
             {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::quiet_NaN()})
            EXPECT_TRUE(std::isnan(one(*GetParam(), c, nan))) << c.name;
}

TEST_P(Activations, ZeroStaysZero) {
    for (const Case& c : cases) {
        EXPECT_EQ(one(*GetParam(), c, 0.0F), 0.0F) << c.name;
        EXPECT_EQ(one(*GetParam(), c, -0.0F), 0.0F) << c.name;
    }
}

TEST_P(Activations, DenormalsKeepTheirSize) {
    for (const Case& c : cases)
        for (const float x : {1e-45F, -1e-45F, 1e-40F, -1e-40F, 1.1e-38F, -1.1e-38F}) {
            const double expected = c.reference(x);
            EXPECT_NEAR(one(*GetParam(), c, x), expected, 1.5e-45 + 3e-7 * std::abs(expected))
                << c.name << " " << x;
        }
}

// For large
// x
// the result is x itself or zero, up to the largest float.
TEST_P(Activations, LargeArguments) {
    const Table& table = *GetParam();
    const float infinity = std::numeric_limits<float>::infinity();
    for (const Case& c : cases) {
        const bool bounded = std::string(c.name) == "tanh";
        for (const float x : {20.0F, 88.0F, 128.0F, 1e4F, 1e19F, 1e30F, 3.4e38F, infinity}) {
            EXPECT_EQ(one(table, c, x), bounded ? 1.0F : x) << c.name << " " << x;
            const float far_negative = one(table, c, -x);
            if (bounded)
                EXPECT_EQ(far_negative, -1.0F) << x;
            else
                EXPECT_NEAR(far_negative, 0.0F, 4.2e-8) << c.name << " " << -x;
        }
    }
}

TEST_P(Activations, TanhIsOddAndBounded) {
    const Case& c = find("tanh");
    for (const float x : grid(-10, 10)) {
        const float y = one(*GetParam(), c, x);
        ASSERT_LE(std::abs(y), 1.0F) << x;
        ASSERT_EQ(-y, one(*GetParam(), c, -x)) << x;
    }
}

INSTANTIATE_TEST_SUITE_P(Isa, Activations, testing::ValuesIn(available_tables()), table_name);

}  // namespace
}  // namespace vit::kernels
