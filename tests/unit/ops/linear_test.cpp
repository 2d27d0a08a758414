#include "engine/ops/linear.h"

#include <gmock/gmock.h>

#include <cstring>

#include "engine/base/aligned_buffer.h"
#include "engine/base/threads.h"
#include "engine/kernels/dispatch.h"
#include "tests/support/models.h"
#include "tests/unit/ops/float64_linear.h"
#include "vit/error.h"

namespace vit {
namespace {

/// A kind of primitive and the type that it multiplies.
struct Kind {
    std::string name;
    LinearMethod method;
    DType type;
};

std::vector<Kind> kinds() {
    std::vector<Kind> all{{"convolution", LinearMethod::convolution, DType::f32},
                          {"matmul", LinearMethod::matmul, DType::f32}};
    if (kernels::bf16_table_for(kernels::select_table().isa))
        all.push_back({"bf16", LinearMethod::matmul, DType::bf16});
    return all;
}

/// Whether the engine may use this kind at this level, on a CPU of any maker.
bool may_be_chosen(const Kind& kind) {
    return onednn_level() != OnednnLevel::amx &&
           kind.method == choose_linear_method(onednn_level(), false);
}

/// The values rounded to numbers that the type can hold.
std::vector<float> rounded(std::vector<float> values, DType type) {
    if (type == DType::bf16)
        for (float& x : values) x = from_bf16(to_bf16(x));
    return values;
}

/// A packed linear layer with random weights, and its result in float64.
struct Case {
    Kind kind;
    std::int64_t in, out;
    std::vector<float> weight, bias, scale;
    Linear linear;
    AlignedBuffer packed;

    Case(const Kind& kind_, std::int64_t in_, std::int64_t out_, bool with_scale = false)
        : kind(kind_),
          in(in_),
          out(out_),
          weight(rounded(test::random_values("weight", in * out), kind.type)),
          bias(test::random_values("bias", out)),
          scale(with_scale ? test::random_values("scale", out) : std::vector<float>{}),
          linear(kind.method, in, out, 7, kind.type),
          packed(linear.packed_bytes()) {
        // With these scales, a scaled weight is exact in both computations.
        for (float& s : scale) s = s > 0 ? 2.0f : -0.5f;
        linear.set(bias, scale, packed.data());
        linear.pack({weight.data(), DType::f32}, scale, packed.data());
    }

    /// x: [rows, row_stride(in)].
    double expected(const std::vector<float>& x, std::int64_t row, std::int64_t o) const {
        double sum = static_cast<double>(bias[static_cast<std::size_t>(o)]);
        for (std::int64_t i = 0; i < in; ++i)
            sum += static_cast<double>(x[static_cast<std::size_t>(row * row_stride(in) + i)]) *
                   static_cast<double>(weight[static_cast<std::size_t>(o * in + i)]);
        return scale.empty() ? sum : sum * static_cast<double>(scale[static_cast<std::size_t>(o)]);
    }

    std::vector<float> run(const float* x, std::int64_t rows,
                           const std::vector<float>* residual = nullptr) {
        std::vector<float> y(static_cast<std::size_t>(rows * row_stride(out)));
        std::vector<std::uint16_t> narrow(static_cast<std::size_t>(rows * row_stride(in)));
        for (std::size_t i = 0; i < narrow.size(); ++i) narrow[i] = to_bf16(x[i]);
        const void* input = kind.type == DType::bf16 ? static_cast<const void*>(narrow.data()) : x;
        if (residual) std::copy_n(residual->begin(), y.size(), y.begin());
        const AlignedBuffer scratch(linear.scratchpad_bytes(rows, residual != nullptr) + 64);
        linear.bind(rows, residual != nullptr, linear.columns(), input, y.data(), scratch.data())
            .execute();
        return y;
    }

    /// The given columns of the first rows of a result of run(), without padding.
    std::vector<float> columns_of(const std::vector<float>& y, std::int64_t rows,
                                  Columns columns) const {
        std::vector<float> part;
        for (std::int64_t r = 0; r < rows; ++r) {
            const auto row = y.begin() + r * row_stride(out);
            part.insert(part.end(), row + columns.first, row + columns.last);
        }
        return part;
    }

    /// Like run(), but computes only these columns.
    std::vector<float> run_columns(const float* x, std::int64_t rows, Columns columns,
                                   const std::vector<float>* residual) {
        const std::int64_t stride = linear.stride(columns);
        std::vector<float> y(static_cast<std::size_t>(rows * stride));
        if (residual)
            for (std::int64_t r = 0; r < rows; ++r)
                std::copy_n(residual->begin() + r * row_stride(out) + columns.first,
                            columns.count(), y.begin() + r * stride);
        std::vector<std::uint16_t> narrow(static_cast<std::size_t>(rows * row_stride(in)));
        for (std::size_t i = 0; i < narrow.size(); ++i) narrow[i] = to_bf16(x[i]);
        const void* input = kind.type == DType::bf16 ? static_cast<const void*>(narrow.data()) : x;
        const AlignedBuffer scratch(linear.scratchpad_bytes(rows, residual != nullptr, columns) +
                                    64);
        linear.bind(rows, residual != nullptr, columns, input, y.data(), scratch.data()).execute();
        std::vector<float> part;
        for (std::int64_t r = 0; r < rows; ++r)
            part.insert(part.end(), y.begin() + r * stride,
                        y.begin() + r * stride + columns.count());
        return part;
    }
};

std::vector<float> padded_input(std::int64_t rows, std::int64_t in, DType type = DType::f32) {
    std::vector<float> x(static_cast<std::size_t>(rows * row_stride(in)), 0.0f);
    const std::vector<float> values = rounded(test::random_values("x", rows * in), type);
    for (std::int64_t r = 0; r < rows; ++r)
        std::copy_n(values.begin() + r * in, in, x.begin() + r * row_stride(in));
    return x;
}

constexpr auto convolution = LinearMethod::convolution, matmul = LinearMethod::matmul;

TEST(ChooseLinearMethod, GoesByLevelAndKernels) {
    using enum OnednnLevel;
    for (const OnednnLevel level : {vectors, avx512, avx512_bf16, amx}) {
        EXPECT_EQ(choose_linear_method(level, true), LinearMethod::fused);
        EXPECT_EQ(choose_linear_method(level, false), level == vectors ? convolution : matmul);
    }
}

/// While this object exists, oneDNN may multiply float32 in bfloat16 if a primitive does not forbid
/// it.
class LooseDefault {
  public:
    LooseDefault() {
        dnnl_get_default_fpmath_mode(&before_);
        dnnl_set_default_fpmath_mode(dnnl_fpmath_mode_bf16);
    }
    ~LooseDefault() { dnnl_set_default_fpmath_mode(before_); }
    LooseDefault(const LooseDefault&) = delete;
    LooseDefault& operator=(const LooseDefault&) = delete;

  private:
    dnnl_fpmath_mode_t before_ = dnnl_fpmath_mode_strict;
};

TEST(Linear, StaysInFloat32WhateverTheDefaultIs) {
    const LooseDefault loose;
    parallel(1, [](int, int) {
        const onednn::LinearShape shape{7, 64, 64, false};
        for (const auto& made :
             {onednn::make_convolution(shape, {}), onednn::make_matmul(shape, {})}) {
            const_dnnl_primitive_attr_t attributes = nullptr;
            ASSERT_EQ(
                dnnl_primitive_desc_get_attr(made.primitive.get_primitive_desc(), &attributes),
                dnnl_success);
            dnnl_fpmath_mode_t mode = dnnl_fpmath_mode_any;
            ASSERT_EQ(dnnl_primitive_attr_get_fpmath_mode(attributes, &mode), dnnl_success);
            EXPECT_EQ(mode, dnnl_fpmath_mode_strict) << made.implementation;
        }
    });
}

class LinearOf : public testing::TestWithParam<Kind> {};

TEST_P(LinearOf, AgreesWithFloat64InsideAParallelRegion) {
    for (const auto& [in, out] :
         {std::pair{768, 768}, {768, 10}, {40, 72}, {33, 7}, {588, 384}, {1, 1}})
        for (std::int64_t rows : {1, 2, 50, 99}) {
            SCOPED_TRACE(std::to_string(rows) + " rows, " + std::to_string(in) + " to " +
                         std::to_string(out));
            std::optional<Case> c;
            parallel(1, [&](int, int) { c.emplace(GetParam(), in, out, rows == 2); });
            const std::vector<float> x = padded_input(rows, in, GetParam().type);
            const std::vector<float> residual = padded_input(rows, out);
            // If a primitive were made for more threads than run it, it would silently leave out
            // the part of the others.
            std::vector<std::vector<float>> plain(2), added(2);
            parallel(1, [&](int, int) {
                c->run(x.data(), rows);
                c->run(x.data(), rows, &residual);
            });
            parallel(2, [&](int t, int) {
                plain[static_cast<std::size_t>(t)] = c->run(x.data(), rows);
                added[static_cast<std::size_t>(t)] = c->run(x.data(), rows, &residual);
            });
            std::vector<double> expected, expected_added;
            std::vector<float> found, found_added;
            for (std::int64_t r = 0; r < rows; ++r)
                for (std::int64_t o = 0; o < row_stride(out); ++o) {
                    const auto at = static_cast<std::size_t>(r * row_stride(out) + o);
                    if (o >= out) {
                        EXPECT_EQ(plain[1][at], 0.0f) << "padding";
                        continue;
                    }
                    expected.push_back(c->expected(x, r, o));
                    expected_added.push_back(expected.back() + static_cast<double>(residual[at]));
                    found.push_back(plain[1][at]);
                    found_added.push_back(added[1][at]);
                }
            EXPECT_LE(test::relative_l2(found, expected), 1e-6);
            EXPECT_LE(test::relative_l2(found_added, expected_added), 1e-6);
            EXPECT_EQ(plain[0], plain[1]);
            EXPECT_EQ(added[0], added[1]);
        }
}

INSTANTIATE_TEST_SUITE_P(Kinds, LinearOf, testing::ValuesIn(kinds()),
                         [](const auto& kind) { return kind.param.name; });

TEST_P(LinearOf, GivesARowTheSameBitsAmongAnyOthers) {
    const Kind& kind = GetParam();
    if (!may_be_chosen(kind)) GTEST_SKIP() << "no CPU like this one uses it";
    for (const auto& [in, out] : {std::pair{768, 768},
                                  {768, 3072},
                                  {3072, 768},
                                  {1024, 1024},
                                  {1024, 4096},
                                  {192, 768},
                                  {384, 1536},
                                  {768, 1000},
                                  {768, 10},
                                  {588, 384},
                                  {40, 72}}) {
        const std::vector<float> x = padded_input(197, in, kind.type);
        parallel(1, [&](int, int) {
            Case c(kind, in, out);
            const std::vector<float> all = c.run(x.data(), 197);
            // oneDNN's blocks change at 65, 99 and 150 rows.
            for (std::int64_t rows : {1, 2, 3, 7, 16, 49, 50, 64, 65, 98, 99, 150, 196})
                for (std::int64_t first : {std::int64_t{0}, 197 - rows}) {
                    const std::vector<float> part = c.run(x.data() + first * row_stride(in), rows);
                    EXPECT_EQ(std::memcmp(part.data(), all.data() + first * row_stride(out),
                                          part.size() * sizeof(float)),
                              0)
                        << rows << " rows from " << first << ", " << in << " to " << out;
                }
        });
    }
}

TEST_P(LinearOf, GivesColumnsTheBitsOfTheWhole) {
    const Kind& kind = GetParam();
    if (!may_be_chosen(kind)) GTEST_SKIP() << "no CPU like this one uses it";
    for (const auto& [in, out] : {std::pair{768, 768},
                                  {768, 3072},
                                  {3072, 768},
                                  {1024, 4096},
                                  {4096, 1024},
                                  {384, 1536},
                                  {768, 1000},
                                  {768, 10},
                                  {200, 72},
                                  {192, 256}}) {
        constexpr std::int64_t most = 64;
        const std::int64_t stride = row_stride(out);
        const std::vector<float> x = padded_input(most, in, kind.type),
                                 residual = padded_input(most, out);
        parallel(1, [&](int, int) {
            Case c(kind, in, out);
            const std::vector<float> whole = c.run(x.data(), most),
                                     added = c.run(x.data(), most, &residual);
            for (const int parts : {1, 2, 3, 5, 16})
                for (const std::int64_t rows : {std::int64_t{1}, std::int64_t{50}, most}) {
                    std::int64_t next = 0;
                    for (int part = 0; part < parts; ++part) {
                        const Columns columns = c.linear.columns(part, part + 1, parts, 64);
                        EXPECT_EQ(columns.first, next);
                        next = columns.last;
                        if (columns.count() == 0) continue;
                        SCOPED_TRACE(std::to_string(in) + " to columns " +
                                     std::to_string(columns.first) + " to " +
                                     std::to_string(columns.last) + " of " + std::to_string(out) +
                                     ", rows " + std::to_string(rows));
                        EXPECT_EQ(c.run_columns(x.data(), rows, columns, nullptr),
                                  c.columns_of(whole, rows, columns));
                        EXPECT_EQ(c.run_columns(x.data(), rows, columns, &residual),
                                  c.columns_of(added, rows, columns));
                    }
                    EXPECT_EQ(next, stride);
                }
        });
    }
}

}  // namespace
}  // namespace vit
