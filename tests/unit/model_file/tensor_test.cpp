#include "engine/model/tensor.h"

#include <bit>
#include <cmath>
#include <limits>

#include "engine/base/text.h"
#include "support.h"

namespace vit {
namespace {

using test::message_of;

template <typename Item>
TensorView view_of(DType dtype, const std::vector<Item>& items) {
    return {"x", dtype, {static_cast<std::int64_t>(items.size())}, std::as_bytes(std::span(items))};
}

// IEEE 754-2019, 3.4: computes the value from sign, biased exponent and fraction in double
// arithmetic.
double value_of_half(std::uint32_t bits, int exponent_bits, int fraction_bits) {
    const int bias = (1 << (exponent_bits - 1)) - 1;
    const int exponent = static_cast<int>(bits >> fraction_bits) & ((1 << exponent_bits) - 1);
    const double fraction =
        std::ldexp(static_cast<double>(bits & ((1u << fraction_bits) - 1)), -fraction_bits);
    const double sign = (bits >> (exponent_bits + fraction_bits)) != 0 ? -1.0 : 1.0;
    if (exponent == (1 << exponent_bits) - 1)
        return fraction == 0 ? sign * std::numeric_limits<double>::infinity()
                             : std::numeric_limits<double>::quiet_NaN();
    if (exponent == 0) return sign * std::ldexp(fraction, 1 - bias);
    return sign * std::ldexp(1 + fraction, exponent - bias);
}

TEST(Tensor, ConvertsEvery16BitFloatExactly) {
    std::vector<std::uint16_t> all(65'536);
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint16_t>(i);
    const auto halves = to_f32(view_of(DType::f16, all));
    const auto brains = to_f32(view_of(DType::bf16, all));
    for (std::uint32_t i = 0; i < 65'536; ++i) {
        const double half = value_of_half(i, 5, 10), brain = value_of_half(i, 8, 7);
        if (std::isnan(half)) {
            EXPECT_TRUE(std::isnan(halves[i])) << i;
        } else {
            EXPECT_EQ(halves[i], half) << i;
            EXPECT_EQ(std::signbit(halves[i]), std::signbit(half)) << i;
        }
        if (std::isnan(brain)) {
            EXPECT_TRUE(std::isnan(brains[i])) << i;
        } else {
            EXPECT_EQ(brains[i], brain) << i;
        }
    }
}

TEST(Tensor, RoundsDoublesToNearestEven) {
    const std::vector<double> in = {1.0 + 0x1p-24, 1.0 + 3 * 0x1p-24, 1e-46, -1e300, 0.1};
    const auto out = to_f32(view_of(DType::f64, in));
    EXPECT_EQ(out[0], 1.0f);
    EXPECT_EQ(out[1], 1.0f + 0x1p-22f);
    EXPECT_EQ(out[2], 0.0f);
    EXPECT_EQ(out[3], -std::numeric_limits<float>::infinity());
    EXPECT_EQ(out[4], 0.1f);
}

TEST(Tensor, ReadsUnalignedData) {
    std::vector<std::byte> bytes(1 + 8);
    const float values[] = {1.5f, -2.25f};
    std::memcpy(bytes.data() + 1, values, 8);
    const TensorView view{"x", DType::f32, {2}, std::span<const std::byte>(bytes).subspan(1)};
    EXPECT_THAT(to_f32(view), testing::ElementsAre(1.5f, -2.25f));
}

TEST(Tensor, RefusesIntegersAndWrongSizes) {
    const std::vector<std::int64_t> integers = {1, 2};
    EXPECT_THAT(message_of([&] { to_f32(view_of(DType::i64, integers)); }, ErrorKind::model),
                testing::HasSubstr("tensor 'x': expected floating-point elements"));
    const std::vector<float> values = {1, 2, 3};
    TensorView view = view_of(DType::f32, values);
    view.shape = {2};
    EXPECT_THAT(message_of([&] { to_f32(view); }, ErrorKind::model),
                testing::HasSubstr("expected 8 bytes"));
    view.shape = {1'000'000'000'000};
    EXPECT_THAT(message_of([&] { to_f32(view); }, ErrorKind::model),
                testing::HasSubstr("needs more than its 12 bytes"));
    view.name = "x\n";
    view.shape = {1LL << 62, 1LL << 62};
    EXPECT_THAT(message_of([&] { to_f32(view); }, ErrorKind::format),
                testing::HasSubstr("tensor 'x\\x0a': size does not fit in 64 bits"));
    view.shape = {3, -1};
    message_of([&] { to_f32(view); }, ErrorKind::format);
    std::vector<float> room(2);
    view.shape = {3};
    message_of([&] { to_f32(view, room); }, ErrorKind::internal);
}

TEST(Tensor, NamesAndSizes) {
    EXPECT_EQ(to_string(Shape{1, 197, 768}), "[1, 197, 768]");
    EXPECT_EQ(to_string(Shape{}), "[]");
    EXPECT_EQ((TensorView{"x", DType::f32, {}, {}}.numel()), 1);
    EXPECT_EQ(dtype_name(DType::bf16), "BF16");
    EXPECT_EQ(item_size(DType::f64), 8u);
}

TEST(Text, QuotesWhatATerminalMustNotSee) {
    EXPECT_EQ(in_quotes("block.0"), "'block.0'");
    EXPECT_EQ(in_quotes("a\x1b[31m\n\x7f"), "'a\\x1b[31m\\x0a\\x7f'");
    EXPECT_EQ(in_quotes("it's \\"), "'it\\'s \\\\'");
    EXPECT_EQ(in_quotes("\xc3\xa9"), "'\xc3\xa9'");    // é stays
    EXPECT_EQ(in_quotes("\xff\xc3"), "'\\xff\\xc3'");  // not UTF-8
    EXPECT_EQ(in_quotes("\xc2\x9b"
                        "31m"),
              "'\\xc2\\x9b31m'");  // C1 control
    EXPECT_LT(in_quotes(std::string(1'000'000, 'x')).size(), 300u);
}

TEST(Text, Utf8) {
    for (const char* good : {"", "abc", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
                             "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"})
        EXPECT_TRUE(is_utf8(good)) << good;
    for (const char* bad :
         {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xc3", "\xe2(\xa1"})
        EXPECT_FALSE(is_utf8(bad)) << bad;
}

}  // namespace
}  // namespace vit
