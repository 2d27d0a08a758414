// Tests the int8 kernels of every table that this CPU can run against plain loops.
#include "engine/kernels/int8_kernels.h"

#include <algorithm>
#include <random>
#include <span>

#include "engine/base/aligned_buffer.h"
#include "engine/kernels/dispatch.h"
#include "engine/kernels/isa_tables.h"
#include "engine/kernels/tile_state.h"
#include "tests/support/plain_tiles_tables.h"
#include "tests/support/plain_vnni.h"
#include "tests/unit/kernels/kernels_test.h"

namespace vit::kernels {
namespace {

std::vector<const Int8Table*> available_int8_tables() {
    std::vector<const Int8Table*> tables;
    for (const Table* table : available_tables()) {
        const Int8Table* int8 = &int8_table_for(table->isa);
        if (std::ranges::find(tables, int8) == tables.end()) tables.push_back(int8);
    }
    tables.push_back(&test::plain_int8_tiles_on_baseline);
    if (table_for(Isa::avx2) == nullptr) return tables;
    tables.push_back(&test::plain_avx_vnni_table);
    if (std::ranges::find(tables, &avx2_int8_table) == tables.end())
        tables.push_back(&avx2_int8_table);
    return tables;
}

class Int8 : public testing::TestWithParam<const Int8Table*> {
  protected:
    const Int8Table& table() const { return *GetParam(); }

  private:
    const TileScope tile_scope_{GetParam()->linears.registers};
};

/// Memory for int8 rows.
struct Numbers {
    Int8Rows rows;
    AlignedBuffer memory;

    Numbers(std::size_t count, std::size_t cols) : memory(count * int8_stride(cols)) {
        rows = {reinterpret_cast<std::uint8_t*>(memory.data()), count, cols};
    }
    const std::uint8_t* row(std::size_t r) const { return rows.data + r * int8_stride(rows.cols); }
    int at(std::size_t r, std::size_t c) const { return row(r)[c] - int8_zero; }
    void set(std::size_t r, std::size_t c, int number) {
        rows.data[r * int8_stride(rows.cols) + c] = static_cast<std::uint8_t>(number + int8_zero);
    }
    float scale(std::size_t r) const { return factor(r, 0); }
    float shift(std::size_t r) const { return factor(r, 1); }
    void set_factors(std::size_t r, float scale, float shift) {
        const float both[] = {scale, shift};
        std::memcpy(rows.data + r * int8_stride(rows.cols) + int8_padded(rows.cols), both,
                    sizeof both);
    }
    void expect_padding() const {
        for (std::size_t r = 0; r < rows.rows; ++r)
            for (std::size_t c = rows.cols; c < int8_padded(rows.cols); ++c)
                ASSERT_EQ(row(r)[c], int8_zero) << r << ' ' << c;
    }

  private:
    float factor(std::size_t r, std::size_t i) const {
        float both[2];
        std::memcpy(both, row(r) + int8_padded(rows.cols), sizeof both);
        return both[i];
    }
};

void expect_quantized(const Numbers& found, const std::vector<float>& x) {
    const std::size_t cols = found.rows.cols;
    for (std::size_t r = 0; r < found.rows.rows; ++r) {
        const std::span row(x.data() + r * cols, cols);
        const float low = *std::ranges::min_element(row) / 2,
                    high = *std::ranges::max_element(row) / 2;
        EXPECT_EQ(found.shift(r), high + low);
        EXPECT_EQ(found.scale(r), (high - low) / 127);
        const float inverse = 127 / (high - low);
        for (std::size_t c = 0; c < cols && high > low; ++c)
            ASSERT_EQ(found.at(r, c), std::lrint((row[c] - found.shift(r)) * inverse))
                << r << ' ' << c;
    }
    found.expect_padding();
}

TEST_P(Int8, QuantizesEachRowByItsRange) {
    constexpr std::size_t rows = 3;
    for (const std::size_t cols : lengths()) {
        const std::vector<float> x = normal_numbers(rows * cols, 0.1F, 2.0F);
        Numbers found(rows, cols);
        table().quantize(rows_of(x.data(), rows, cols, cols), found.rows);
        expect_quantized(found, x);
    }
}

TEST_P(Int8, QuantizesBFloat16) {
    for (const std::size_t cols : {1, 15, 16, 17, 64, 197}) {
        std::vector<float> x = normal_numbers(2 * cols);
        std::vector<BFloat16> narrow;
        for (float& value : x) {
            const auto bits = std::bit_cast<std::uint32_t>(value) & 0xffff0000U;
            value = std::bit_cast<float>(bits);
            narrow.push_back(static_cast<BFloat16>(bits >> 16));
        }
        Numbers found(2, cols);
        table().quantize_bf16(row_major<const BFloat16>(narrow.data(), 2, cols, cols), found.rows);
        expect_quantized(found, x);
    }
}

TEST_P(Int8, RoundsHalvesToEven) {
    // The maximum is 127, so that numbers are the values.
    const std::vector<float> x{127,   0.5F,  1.5F, 2.5F,   -0.5F,
                               -1.5F, -2.5F, -127, 126.5F, 0.49999997F};
    Numbers found(1, x.size());
    table().quantize(rows_of(x.data(), 1, x.size(), x.size()), found.rows);
    const int expected[] = {127, 0, 2, 2, 0, -2, -2, -127, 126, 0};
    for (std::size_t c = 0; c < x.size(); ++c) EXPECT_EQ(found.at(0, c), expected[c]) << x[c];
}

TEST_P(Int8, KeepsUnusualRows) {
    constexpr std::size_t cols = 70;
    const auto quantized = [&](float value, float first) {
        std::vector<float> x(cols, value);
        x[0] = first;
        Numbers found(1, cols);
        table().quantize(rows_of(x.data(), 1, cols, cols), found.rows);
        found.expect_padding();
        return found;
    };
    // A constant row is exact.
    for (const float value : {0.0F, -0.0F, 1e-40F, 7.0F, -3e38F}) {
        const Numbers constant = quantized(value, value);
        EXPECT_EQ(constant.scale(0), 0);
        EXPECT_EQ(constant.shift(0), value);
        for (std::size_t c = 0; c < cols; ++c) EXPECT_EQ(constant.at(0, c), 0);
    }
    const Numbers huge = quantized(1.0F, 3e38F);
    EXPECT_EQ(huge.at(0, 0), 127);
    EXPECT_EQ(huge.at(0, 1), -127);
    const Numbers widest = quantized(-3e38F, 3e38F);
    EXPECT_EQ(widest.at(0, 0), 127);
    EXPECT_EQ(widest.at(0, 1), -127);
    EXPECT_EQ(widest.shift(0), 0);
    EXPECT_TRUE(std::isfinite(widest.scale(0)));
    EXPECT_EQ(quantized(1e-30F, -1e-30F).at(0, 0), -127);
    for (const float bad : {HUGE_VALF, -HUGE_VALF, std::nanf("")}) {
        EXPECT_TRUE(std::isnan(quantized(1.0F, bad).scale(0))) << bad;
        EXPECT_TRUE(std::isnan(quantized(bad, 1.0F).scale(0))) << bad;
    }
}

TEST_P(Int8, NormsAreTheFloat32OnesQuantized) {
    constexpr std::size_t rows = 2;
    for (const Table* f32 : available_tables()) {
        if (&int8_table_for(f32->isa) != &table()) continue;
        for (const std::size_t cols : {1, 7, 16, 63, 65, 384, 768}) {
            const std::vector<float> x = normal_numbers(rows * cols, 0.5F, 2.0F),
                                     gamma = normal_numbers(cols, 1.0F, 0.1F, 2),
                                     beta = normal_numbers(cols, 0.1F, 0.1F, 3);
            std::vector<float> wide(rows * cols), row(cols);
            const NormParameters norm{gamma.data(), beta.data(), 1e-6F};
            Numbers found(rows, cols);
            f32->layer_norm(rows_of(x.data(), rows, cols, cols),
                            row_major(wide.data(), rows, cols, cols), norm);
            table().layer_norm(rows_of(x.data(), rows, cols, cols), found.rows, norm, row.data());
            expect_quantized(found, wide);
            f32->rms_norm(rows_of(x.data(), rows, cols, cols),
                          row_major(wide.data(), rows, cols, cols), norm);
            table().rms_norm(rows_of(x.data(), rows, cols, cols), found.rows, norm, row.data());
            expect_quantized(found, wide);
        }
        return;  // a wider table of float32 may differ in the last bits
    }
}

/// A packed linear with random weights, all of them extreme where `extreme`.
struct Layer {
    std::size_t in, out, panels, columns;
    std::vector<std::int8_t> weights;  ///< [columns][int8_padded(in)]
    std::vector<float> scales, bias;
    AlignedBuffer packed;

    Layer(const Int8Table& table, std::size_t in_, std::size_t out_, bool extreme = false)
        : in(in_),
          out(out_),
          panels((out + table.linears.panel_columns - 1) / table.linears.panel_columns),
          columns(panels * table.linears.panel_columns),
          weights(columns * int8_padded(in)),
          scales(normal_numbers(columns, 0.01F, 0.002F, 4)),
          bias(normal_numbers(columns, 0.0F, 1.0F, 5)),
          packed(table.linears.packed_bytes(in, panels)) {
        std::mt19937 random(static_cast<unsigned>(in * 31 + out));
        for (std::size_t o = 0; o < out; ++o) {
            const std::span row(weights.data() + o * int8_padded(in), in);
            for (std::size_t i = 0; i < in; ++i) {
                const int most = i % 2 == 1 ? std::min(127, 128 - std::abs(row[i - 1]))
                                 : extreme  ? (random() % 2 == 0 ? 64 : 127)
                                            : 127;
                const int magnitude =
                    extreme ? most : static_cast<int>(random() % 128) % (most + 1);
                row[i] = static_cast<std::int8_t>(random() % 2 == 0 ? magnitude : -magnitude);
            }
        }
        for (std::size_t p = 0; p < panels; ++p)
            table.linears.pack(weights.data() + p * table.linears.panel_columns * int8_padded(in),
                               in, p, panels, reinterpret_cast<std::int8_t*>(packed.data()));
    }
    Int8LinearCall call(const Int8Rows& x, float* y, AlignedBuffer& workspace) const {
        Int8LinearCall call{};
        call.x = x;
        call.weights = reinterpret_cast<const std::int8_t*>(packed.data());
        call.panels = panels;
        call.scales = scales.data();
        call.bias = bias.data();
        call.last_panel = panels;
        call.end_column = (out + 15) / 16 * 16;
        call.y = y;
        call.y_stride = call.end_column;
        call.workspace = reinterpret_cast<std::int32_t*>(workspace.data());
        return call;
    }
};

Numbers random_rows(std::size_t rows, std::size_t cols, bool extreme) {
    Numbers x(rows, cols);
    std::mt19937 random(7);
    for (std::size_t r = 0; r < rows; ++r) {
        for (std::size_t c = 0; c < int8_padded(cols); ++c) x.set(r, c, 0);
        for (std::size_t c = 0; c < cols; ++c)
            x.set(r, c,
                  extreme ? (random() % 2 == 0 ? 127 : -127)
                          : static_cast<int>(random() % 255) - 127);
        x.set_factors(r, 0.01F * static_cast<float>(r + 1), 0.3F - 0.1F * static_cast<float>(r));
    }
    return x;
}

/// y [rows, round_up(out, 16)] of the plain loop, without activation.
std::vector<float> plain(const Layer& layer, const Numbers& x) {
    const std::size_t stride = (layer.out + 15) / 16 * 16;
    std::vector<float> y(x.rows.rows * stride);
    for (std::size_t r = 0; r < x.rows.rows; ++r)
        for (std::size_t o = 0; o < stride; ++o) {
            std::int64_t sum = 0, weight_sum = 0;
            for (std::size_t i = 0; i < layer.in; ++i) {
                const std::int64_t weight = layer.weights[o * int8_padded(layer.in) + i];
                sum += std::int64_t{x.at(r, i)} * weight;
                weight_sum += weight;
            }
            const float shifted =
                x.shift(r) * (layer.scales[o] * static_cast<float>(weight_sum)) + layer.bias[o];
            y[r * stride + o] = static_cast<float>(sum) * (x.scale(r) * layer.scales[o]) + shifted;
        }
    return y;
}

AlignedBuffer workspace_of(const Int8Table& table, std::size_t rows) {
    return AlignedBuffer(table.linears.workspace(rows) * sizeof(std::int32_t));
}

TEST_P(Int8, LinearsAreExact) {
    for (const bool extreme : {false, true})
        for (const std::size_t in : {1, 3, 63, 64, 65, 384, 1000, 3072})
            for (const auto& [rows, out] : {std::pair{1, 1},
                                            {3, 10},
                                            {8, 47},
                                            {9, 48},
                                            {17, 49},
                                            {40, 100},
                                            {16, 33},
                                            {70, 32}}) {
                const Layer layer(table(), in, static_cast<std::size_t>(out), extreme);
                const Numbers x = random_rows(static_cast<std::size_t>(rows), in, extreme);
                const std::vector<float> expected = plain(layer, x);
                std::vector<float> y(expected.size(), 7);
                AlignedBuffer workspace = workspace_of(table(), x.rows.rows);
                table().linears.none(layer.call(x.rows, y.data(), workspace));
                ASSERT_TRUE(same_bits(y.data(), expected.data(), y.size()))
                    << in << ' ' << rows << ' ' << out << ' ' << extreme;
            }
}

TEST_P(Int8, LinearsAddResidualsAndSplitByColumns) {
    const Layer layer(table(), 200, 150);
    const Numbers x = random_rows(13, 200, false);
    std::vector<float> expected = plain(layer, x);
    const std::vector<float> residual = normal_numbers(expected.size(), 0, 1, 9);
    for (std::size_t i = 0; i < expected.size(); ++i) expected[i] = residual[i] + expected[i];
    std::vector<float> y = residual;
    AlignedBuffer workspace = workspace_of(table(), 13);
    Int8LinearCall call = layer.call(x.rows, y.data(), workspace);
    call.residual = y.data();
    call.residual_stride = call.y_stride;
    for (std::size_t panel = 0; panel < layer.panels; ++panel) {
        call.first_panel = panel;
        call.last_panel = panel + 1;
        table().linears.none(call);
    }
    EXPECT_TRUE(same_bits(y.data(), expected.data(), y.size()));
}

TEST_P(Int8, ARowHasTheSameBitsAmongAnyOthers) {
    const Layer layer(table(), 768, 96);
    const Numbers x = random_rows(300, 768, false);
    std::vector<float> all(300 * 96);
    AlignedBuffer workspace = workspace_of(table(), 300);
    table().linears.gelu(layer.call(x.rows, all.data(), workspace));
    for (const std::size_t rows : {1, 2, 5, 8, 11, 100}) {
        std::vector<float> part(rows * 96);
        for (const std::size_t first : {std::size_t{0}, std::size_t{17}, 300 - rows}) {
            const Int8Rows some{x.rows.data + first * int8_stride(768), rows, 768};
            table().linears.gelu(layer.call(some, part.data(), workspace));
            EXPECT_TRUE(same_bits(part.data(), all.data() + first * 96, part.size()))
                << first << ' ' << rows;
        }
    }
}

TEST_P(Int8, LinearsApplyActivations) {
    const Layer layer(table(), 64, 32);
    const Numbers x = random_rows(5, 64, false);
    const std::vector<float> before = plain(layer, x);
    AlignedBuffer workspace = workspace_of(table(), 5);
    const auto check = [&](Int8Linears::Run run, double (*function)(double)) {
        std::vector<float> y(before.size());
        run(layer.call(x.rows, y.data(), workspace));
        for (std::size_t i = 0; i < y.size(); ++i)
            ASSERT_NEAR(y[i], function(before[i]),
                        6e-4 * std::max(1.0, std::abs(static_cast<double>(before[i]))))
                << i;
    };
    const auto& l = table().linears;
    check(l.gelu, [](double v) { return 0.5 * v * std::erfc(-v / std::sqrt(2.0)); });
    check(l.gelu_tanh, [](double v) {
        return 0.5 * v * (1 + std::tanh(0.7978845608028654 * (v + 0.044715 * v * v * v)));
    });
    check(l.quick_gelu, [](double v) { return v / (1 + std::exp(-1.702 * v)); });
    check(l.silu, [](double v) { return v / (1 + std::exp(-v)); });
    check(l.relu, [](double v) { return std::max(v, 0.0); });
    check(l.tanh, [](double v) { return std::tanh(v); });
}

TEST_P(Int8, LinearsWriteBFloat16) {
    const Layer layer(table(), 100, 48);
    const Numbers x = random_rows(9, 100, false);
    std::vector<float> y(9 * 48);
    std::vector<BFloat16> narrow(9 * 48);
    AlignedBuffer workspace = workspace_of(table(), 9);
    Int8LinearCall call = layer.call(x.rows, y.data(), workspace);
    table().linears.none(call);
    call.y = nullptr;
    call.y_bf16 = narrow.data();
    call.y_bf16_stride = 48;
    table().linears.none(call);
    for (std::size_t i = 0; i < y.size(); ++i) {
        const float back = std::bit_cast<float>(std::uint32_t{narrow[i]} << 16);
        ASSERT_NEAR(back, y[i], std::abs(y[i]) / 256) << i;
    }
}

TEST_P(Int8, ARowOfNaNGivesNaN) {
    const Layer layer(table(), 64, 16);
    Numbers x = random_rows(2, 64, false);
    x.set_factors(0, std::nanf(""), 0);
    std::vector<float> y(2 * 16);
    AlignedBuffer workspace = workspace_of(table(), 2);
    table().linears.none(layer.call(x.rows, y.data(), workspace));
    for (std::size_t c = 0; c < 16; ++c) {
        EXPECT_TRUE(std::isnan(y[c]));
        EXPECT_FALSE(std::isnan(y[16 + c]));
    }
}

INSTANTIATE_TEST_SUITE_P(Tables, Int8, testing::ValuesIn(available_int8_tables()),
                         [](const auto& chosen) { return std::string(chosen.param->name); });

}  // namespace
}  // namespace vit::kernels
