// Compares tiles in plain C++ with their definition, and AMX's instructions with plain C++, bit for
// bit.
#include "engine/kernels/tiles.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "engine/base/cpu.h"
#include "engine/kernels/tile_state.h"
#include "engine/model/tensor.h"

namespace vit::kernels {
namespace {

struct TilesTest {};
}  // namespace

template <>
struct XsimdArch<TilesTest> {
    using type = xsimd::sse2;
};

namespace {

using Plain = PlainTiles<TilesTest>;
using Amx = AmxTiles<TilesTest>;

using Tile = std::array<std::uint32_t, 256>;

bool has_amx() {
    return probe_cpu().amx && request_tiles();
}

float as_float(std::uint32_t bits) {
    return std::bit_cast<float>(bits);
}
/// Replaces subnormal numbers by zero.
float flush(float x) {
    return std::abs(x) < 0x1p-126F ? std::copysign(0.0F, x) : x;
}

/// TDPBF16PS as in the manual's pseudocode.
Tile definition(Tile c, const Tile& a, const Tile& b) {
    const auto bf16 = [](std::uint32_t pair, int i) {
        return flush(as_float(i == 0 ? pair << 16 : pair & 0xffff0000U));
    };
    for (std::size_t m = 0; m < 16; ++m)
        for (std::size_t n = 0; n < 16; ++n) {
            float sums[2] = {0, 0};
            for (std::size_t k = 0; k < 16; ++k)
                for (int i : {0, 1})
                    sums[i] =
                        flush(std::fma(bf16(a[m * 16 + k], i), bf16(b[k * 16 + n], i), sums[i]));
            const float sum = flush(flush(as_float(c[m * 16 + n])) + flush(sums[0] + sums[1]));
            c[m * 16 + n] = std::bit_cast<std::uint32_t>(sum);
        }
    return c;
}

/// TDPB[SU][SU]D as in the manual's pseudocode. X and Y are the types of the bytes.
template <class X, class Y>
Tile definition_of_bytes(Tile c, const Tile& a, const Tile& b) {
    for (std::size_t m = 0; m < 16; ++m)
        for (std::size_t n = 0; n < 16; ++n)
            for (std::size_t k = 0; k < 16; ++k)
                for (unsigned i = 0; i < 4; ++i)
                    c[m * 16 + n] += static_cast<std::uint32_t>(
                        std::int32_t{static_cast<X>(a[m * 16 + k] >> 8 * i)} *
                        std::int32_t{static_cast<Y>(b[k * 16 + n] >> 8 * i)});
    return c;
}

/// c + a · b with tiles 2, 5 and 7, and with strides that differ from a tile's.
template <class Tiles, class Multiply>
Tile product(const Tile& c, const Tile& a, const Tile& b, Multiply multiply) {
    Tiles tiles;
    std::vector<std::uint32_t> wide(16 * 24);
    for (std::size_t i = 0; i < 256; ++i) wide[i / 16 * 24 + i % 16] = a[i];
    tiles.template zero<0>();
    tiles.template load<2>(c.data(), 64);
    tiles.template load_streaming<5>(wide.data(), 24 * 4);
    tiles.template load<7>(b.data(), 64);
    multiply(tiles);
    tiles.template store<2>(wide.data(), 24 * 4);
    Tile zero, result;
    tiles.template store<0>(zero.data(), 64);
    EXPECT_EQ(zero, Tile{});
    for (std::size_t i = 0; i < 256; ++i) result[i] = wide[i / 16 * 24 + i % 16];
    return result;
}

const auto bf16 = [](auto& tiles) { tiles.template multiply_bf16<2, 5, 7>(); };
const auto s8s8 = [](auto& tiles) { tiles.template multiply_s8s8<2, 5, 7>(); };
const auto s8u8 = [](auto& tiles) { tiles.template multiply_s8u8<2, 5, 7>(); };
const auto u8s8 = [](auto& tiles) { tiles.template multiply_u8s8<2, 5, 7>(); };
const auto u8u8 = [](auto& tiles) { tiles.template multiply_u8u8<2, 5, 7>(); };

/// Makes all NaNs equal, whatever their payload and sign.
Tile without_payloads(Tile tile) {
    for (std::uint32_t& bits : tile)
        if (std::isnan(as_float(bits))) bits = 0x7fc00000U;
    return tile;
}

struct Operands {
    const char* name;
    Tile c, a, b;
};

/// Ordinary numbers, numbers at the ends of the range, and random bits.
std::vector<Operands> operands() {
    std::mt19937 random(3);
    std::vector<Operands> all;
    const auto fill = [&](Tile& tile, auto number) {
        for (std::uint32_t& pair : tile)
            pair = std::uint32_t{to_bf16(number())} | std::uint32_t{to_bf16(number())} << 16;
    };
    const auto add = [&](const char* name, auto number, auto start) {
        Operands o{name, {}, {}, {}};
        fill(o.a, number);
        fill(o.b, number);
        for (std::uint32_t& bits : o.c) bits = std::bit_cast<std::uint32_t>(start());
        all.push_back(o);
    };
    std::normal_distribution<float> normal;
    const auto scaled = [&](float scale) { return [&, scale] { return scale * normal(random); }; };
    add("normal", scaled(1), scaled(1));
    add("products underflow", scaled(0x1p-64F), scaled(0x1p-126F));
    add("products vanish", scaled(0x1p-80F), scaled(0x1p-140F));
    add("subnormal", scaled(0x1p-127F), scaled(0x1p-127F));
    add("sums overflow", scaled(0x1p63F), scaled(0x1p126F));
    add("products overflow", scaled(0x1p70F), scaled(1));
    std::uniform_real_distribution<float> exponent(-70, 62);
    const auto wide = [&] { return normal(random) * std::exp2(exponent(random)); };
    add("wide", wide, wide);
    const float special[] = {0.0F, -0.0F, INFINITY, -INFINITY, 1.0F, -1.0F};
    const auto any_special = [&] { return special[random() % std::size(special)]; };
    add("infinite", any_special, any_special);
    Operands bits{"any bits", {}, {}, {}};
    for (Tile* tile : {&bits.c, &bits.a, &bits.b})
        for (std::uint32_t& each : *tile) each = static_cast<std::uint32_t>(random());
    all.push_back(bits);
    return all;
}

TEST(Tiles, PlainOnesFollowTheDefinition) {
    for (const Operands& o : operands()) {
        EXPECT_EQ(without_payloads(product<Plain>(o.c, o.a, o.b, bf16)),
                  without_payloads(definition(o.c, o.a, o.b)))
            << o.name;
        EXPECT_EQ(product<Plain>(o.c, o.a, o.b, s8s8),
                  (definition_of_bytes<std::int8_t, std::int8_t>(o.c, o.a, o.b)))
            << o.name;
        EXPECT_EQ(product<Plain>(o.c, o.a, o.b, s8u8),
                  (definition_of_bytes<std::int8_t, std::uint8_t>(o.c, o.a, o.b)))
            << o.name;
        EXPECT_EQ(product<Plain>(o.c, o.a, o.b, u8s8),
                  (definition_of_bytes<std::uint8_t, std::int8_t>(o.c, o.a, o.b)))
            << o.name;
        EXPECT_EQ(product<Plain>(o.c, o.a, o.b, u8u8),
                  (definition_of_bytes<std::uint8_t, std::uint8_t>(o.c, o.a, o.b)))
            << o.name;
    }
}

TEST(Tiles, InstructionsDoWhatPlainOnesDo) {
    if (!has_amx()) GTEST_SKIP() << "this CPU has no AMX";
    const TileScope scope(true);
    for (const Operands& o : operands()) {
        const auto expect_same = [&](auto multiply) {
            EXPECT_EQ(without_payloads(product<Amx>(o.c, o.a, o.b, multiply)),
                      without_payloads(product<Plain>(o.c, o.a, o.b, multiply)))
                << o.name;
        };
        expect_same(bf16);
        expect_same(s8s8);
        expect_same(s8u8);
        expect_same(u8s8);
        expect_same(u8u8);
    }
}

struct alignas(64) Config {
    std::uint8_t bytes[64];
    bool operator==(const Config&) const = default;
};

Config stored_config() {
    Config config{};
    asm volatile("sttilecfg %0" : "=m"(config));
    return config;
}

TEST(Tiles, AThreadGetsItsTilesBack) {
    if (!has_amx()) GTEST_SKIP() << "this CPU has no AMX";
    EXPECT_EQ(stored_config(), Config{});
    {
        const TileScope scope(true);
        EXPECT_EQ(stored_config().bytes[0], 1);
    }
    EXPECT_EQ(stored_config(), Config{}) << "released";

    // The thread's own configuration: only tile 3, with 5 rows of 12 bytes.
    Config own{};
    own.bytes[0] = 1;
    own.bytes[16 + 2 * 3] = 12;
    own.bytes[48 + 3] = 5;
    asm volatile("ldtilecfg %0" ::"m"(own));
    Tile numbers{}, found{};
    for (std::uint32_t i = 0; i < 256; ++i) numbers[i] = i + 1;
    Amx().load<3>(numbers.data(), 64);
    {
        const TileScope scope(true);
        Amx().zero<3>();
    }
    EXPECT_EQ(stored_config(), own);
    Amx().store<3>(found.data(), 64);
    asm volatile("tilerelease");
    for (std::size_t i = 0; i < 256; ++i)
        EXPECT_EQ(found[i], i / 16 < 5 && i % 16 < 3 ? i + 1 : 0) << i;
}

}  // namespace
}  // namespace vit::kernels
