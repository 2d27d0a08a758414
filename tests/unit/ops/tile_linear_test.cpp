// Tests linear layers on tiles, with every backend that this CPU can run.
#include "engine/kernels/dispatch.h"
#include "engine/ops/fused_linear.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>

#include "engine/base/aligned_buffer.h"
#include "engine/kernels/tile_state.h"
#include "tests/support/models.h"
#include "tests/support/plain_tiles.h"
#include "tests/unit/ops/float64_linear.h"

namespace vit {
namespace {

using kernels::BFloat16;
using kernels::Matrix;

struct Backend {
    std::string name;
    const kernels::Bf16Table* table;
};

std::vector<Backend> backends() {
    std::vector<Backend> all;
    for (const test::PlainTileKernels& plain : test::plain_tile_kernels())
        all.push_back({plain.name, &plain.bf16});
    if (const auto* amx = kernels::bf16_table_for(kernels::Isa::amx)) all.push_back({"amx", amx});
    return all;
}

/// A matrix of bfloat16 in panels. Everything outside the matrix is NaN, except the padding
/// columns.
class Panels {
  public:
    Panels(std::int64_t rows, std::int64_t cols, std::int64_t first)
        : rows_(rows),
          cols_(cols),
          data_(static_cast<std::size_t>(round_up(first + rows, 32) * round_up(cols, 32)), nan),
          matrix_(kernels::in_panels(data_.data(), static_cast<std::size_t>(rows),
                                     static_cast<std::size_t>(cols),
                                     static_cast<std::size_t>(first))) {}

    BFloat16& at(std::int64_t row, std::int64_t col) {
        const std::size_t r = matrix_.first + static_cast<std::size_t>(row),
                          c = static_cast<std::size_t>(col);
        return data_[r / 32 * matrix_.panel + r % 32 * 32 + c / 32 * 1024 + c % 32];
    }
    void fill(const std::vector<float>& values) {
        for (std::int64_t r = 0; r < rows_; ++r)
            for (std::int64_t c = 0; c < round_up(cols_, 32); ++c)
                at(r, c) = c < cols_ ? to_bf16(values[static_cast<std::size_t>(r * cols_ + c)]) : 0;
    }
    const Matrix<BFloat16>& matrix() const { return matrix_; }
    Matrix<const BFloat16> source() const {
        return kernels::in_panels<const BFloat16>(matrix_.data, matrix_.rows, matrix_.cols,
                                                  matrix_.first);
    }
    std::int64_t rows() const { return rows_; }

  private:
    static constexpr BFloat16 nan = 0x7fc1;
    std::int64_t rows_, cols_;
    std::vector<BFloat16> data_;
    Matrix<BFloat16> matrix_;
};

std::vector<float> random(const std::string& name, std::int64_t count) {
    std::vector<float> values = test::random_values(name, count);
    for (float& x : values) x = from_bf16(to_bf16(x));
    return values;
}

/// A packed linear layer with random weights.
struct Case {
    std::int64_t in, out;
    std::vector<float> weight, bias;
    FusedLinear<BFloat16> linear;
    AlignedBuffer packed;
    const kernels::Bf16Table& table;

    Case(const kernels::Bf16Table& kernels, std::int64_t in_, std::int64_t out_)
        : in(in_),
          out(out_),
          weight(random("weight", in * out)),
          bias(random("bias", out)),
          linear(kernels, in, out),
          packed(linear.packed_bytes()),
          table(kernels) {
        linear.set(bias, {}, packed.data());
        linear.pack({weight.data(), DType::f32}, {}, packed.data());
    }

    /// Computes some columns and writes them where `output` says.
    void run(const Panels& x, Columns columns, const FusedLinear<BFloat16>::Output& output,
             kernels::FusedLinears<BFloat16>::Run function) {
        const std::size_t floats = linear.workspace_bytes(x.rows(), columns) / sizeof(float);
        const AlignedBuffer workspace((floats + 64) * sizeof(float));
        const kernels::TileScope scope(table.linears->registers);
        linear.bind(function, columns, x.source(), output, workspace.floats()).execute();
        const std::span behind(workspace.floats() + floats, 64);
        EXPECT_TRUE(std::ranges::all_of(behind, [](float f) { return f == 0; }));
    }
    /// Returns float32 rows [rows, row_stride(out)].
    std::vector<float> run(const Panels& x) {
        std::vector<float> y(static_cast<std::size_t>(x.rows() * row_stride(out)), 7.0f);
        run(x, linear.columns(), {.y = y.data(), .stride = row_stride(out)}, table.linears->none);
        return y;
    }
};

class TileLinearOf : public testing::TestWithParam<Backend> {
  protected:
    const kernels::Bf16Table& table() const { return *GetParam().table; }
};

INSTANTIATE_TEST_SUITE_P(Backends, TileLinearOf, testing::ValuesIn(backends()),
                         [](const auto& backend) { return backend.param.name; });

TEST_P(TileLinearOf, AgreesWithFloat64) {
    for (const auto& [in, out] :
         {std::pair{768, 96}, {40, 72}, {33, 7}, {588, 64}, {1, 1}, {1600, 48}})
        for (const std::int64_t rows : {1, 16, 17, 50}) {
            SCOPED_TRACE(std::to_string(rows) + " rows, " + std::to_string(in) + " to " +
                         std::to_string(out));
            Case c(table(), in, out);
            const std::vector<float> values = random("x", rows * in);
            Panels x(rows, in, 0);
            x.fill(values);
            test::expect_float64_linear(c.run(x), values, c.weight, c.bias, rows);
        }
}

// Every form of output equals the float32 output, finished with the activation or sum that the
// kernel's name says.
TEST_P(TileLinearOf, FinishesAsTheKernelsForRowsDo) {
    constexpr std::int64_t rows = 37, in = 70, out = 90, first = 13;
    Case c(table(), in, out);
    Panels x(rows, in, first);
    x.fill(random("x", rows * in));
    const std::vector<float> product = c.run(x), residual = random("residual", rows * 112);
    const std::int64_t stride = row_stride(out);

    std::vector<float> added(product.size());
    c.run(
        x, c.linear.columns(),
        {.y = added.data(), .stride = stride, .residual = residual.data(), .residual_stride = 112},
        table().linears->none);
    for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t o = 0; o < out; ++o)
            ASSERT_EQ(added[static_cast<std::size_t>(r * stride + o)],
                      residual[static_cast<std::size_t>(r * 112 + o)] +
                          product[static_cast<std::size_t>(r * stride + o)]);

    const auto& a = table().activations;
    const kernels::FusedLinears<BFloat16>& t = *table().linears;
    const std::pair<kernels::FusedLinears<BFloat16>::Run, void (*)(BFloat16*, std::size_t)>
        functions[] = {{t.none, nullptr},
                       {t.gelu, a.gelu},
                       {t.gelu_tanh, a.gelu_tanh},
                       {t.quick_gelu, a.quick_gelu},
                       {t.silu, a.silu},
                       {t.relu, a.relu},
                       {t.tanh, a.tanh}};
    for (const auto& [run, activation] : functions) {
        std::vector<BFloat16> dense(static_cast<std::size_t>(rows * stride), 7);
        c.run(x, c.linear.columns(),
              {.bf16 = kernels::row_major(dense.data(), static_cast<std::size_t>(rows),
                                          static_cast<std::size_t>(out),
                                          static_cast<std::size_t>(stride))},
              run);
        Panels panels(rows, out, 21);
        c.run(x, c.linear.columns(), {.bf16 = panels.matrix(), .bf16_in_panels = true}, run);
        std::vector<float> wide(product.size());
        c.run(x, c.linear.columns(), {.y = wide.data(), .stride = stride}, run);
        for (std::int64_t r = 0; r < rows; ++r)
            for (std::int64_t o = 0; o < round_up(out, 32); ++o) {
                const auto at = static_cast<std::size_t>(r * stride + o);
                const BFloat16 rounded = o < stride ? to_bf16(wide[at]) : BFloat16{0};
                ASSERT_EQ(panels.at(r, o), rounded) << r << ' ' << o;
                if (o < stride) {
                    ASSERT_EQ(dense[at], rounded);
                }
                if (o < out && activation != nullptr) {
                    // The kernel for rows also rounds the sum before the activation.
                    BFloat16 expected = to_bf16(product[at]);
                    activation(&expected, 1);
                    ASSERT_NEAR(from_bf16(rounded), from_bf16(expected),
                                0x1p-6f * std::max(0.1f, std::abs(product[at])));
                }
            }
    }
}

/// Row `row` of the result.
std::vector<float> row_of(const std::vector<float>& y, std::int64_t row, std::int64_t stride) {
    return {y.begin() + row * stride, y.begin() + (row + 1) * stride};
}

TEST_P(TileLinearOf, GivesARowTheSameBitsAmongAnyOthers) {
    for (const auto& [in, out] : {std::pair{768, 64}, {1600, 40}, {40, 72}}) {
        constexpr std::int64_t rows = 70;
        Case c(table(), in, out);
        const std::vector<float> values = random("x", rows * in);
        Panels all(rows, in, 0);
        all.fill(values);
        const std::vector<float> expected = c.run(all);
        for (const std::int64_t count : {1, 2, 15, 16, 17, 33, 64, 70})
            for (const std::int64_t first : {0, 1, 16, 31}) {
                const std::int64_t from = rows - count;
                Panels x(count, in, first);  // everything around it is NaN
                x.fill({values.begin() + from * in, values.end()});
                const std::vector<float> part = c.run(x);
                ASSERT_EQ(std::memcmp(part.data(), expected.data() + from * row_stride(out),
                                      part.size() * sizeof(float)),
                          0)
                    << count << " rows from " << first << ", " << in << " to " << out;
            }
    }
}

// There are more rows than a kernel processes at once.
TEST_P(TileLinearOf, GivesARowTheSameBitsAmongManyRows) {
    constexpr std::int64_t rows = 1370, in = 800, out = 33;
    Case c(table(), in, out);
    const std::vector<float> values = random("x", rows * in);
    Panels all(rows, in, 0);
    all.fill(values);
    const std::vector<float> expected = c.run(all);
    for (const std::int64_t row : {0, 415, 416, 447, 448, 1369}) {
        Panels x(1, in, 5);
        x.fill({values.begin() + row * in, values.begin() + (row + 1) * in});
        EXPECT_EQ(c.run(x), row_of(expected, row, row_stride(out))) << row;
    }
}

TEST_P(TileLinearOf, GivesColumnsTheBitsOfTheWhole) {
    for (const auto& [in, out] : {std::pair{768, 200}, {1600, 130}, {100, 1000}}) {
        Case c(table(), in, out);
        constexpr std::int64_t rows = 20;
        Panels x(rows, in, 3);
        x.fill(random("x", rows * in));
        const std::vector<float> expected = c.run(x);
        for (const std::int64_t parts : {1, 2, 3, 5, 16}) {
            std::vector<float> y(expected.size());
            std::int64_t next = 0;
            for (std::int64_t part = 0; part < parts; ++part) {
                const Columns columns = c.linear.columns(part, part + 1, parts);
                EXPECT_EQ(columns.first, next);
                next = columns.last;
                if (columns.count() == 0) continue;
                c.run(x, columns, {.y = y.data(), .stride = row_stride(out)},
                      table().linears->none);
            }
            EXPECT_EQ(next, row_stride(out));
            EXPECT_EQ(y, expected) << parts << " parts of " << out;
        }
    }
}

// Compares both backends if the CPU has both.
TEST(TileLinears, GiveTheSameBitsOnEveryBackend) {
    const std::vector<Backend> all = backends();
    std::mt19937 random_shape(4);
    for (int round = 0; round < 6; ++round) {
        const std::int64_t in = 1 + random_shape() % 900, out = 1 + random_shape() % 100,
                           rows = 1 + random_shape() % 60;
        Panels x(rows, in, 0);
        x.fill(random("x", rows * in));
        const std::vector<float> expected = Case(*all[0].table, in, out).run(x);
        for (const Backend& backend : all)
            EXPECT_EQ(Case(*backend.table, in, out).run(x), expected)
                << backend.name << ' ' << rows << 'x' << in << " to " << out;
    }
}

}  // namespace
}  // namespace vit
