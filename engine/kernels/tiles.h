// Matrix products on eight tiles of 16 rows of 64 bytes. Tiles are numbered 0 to 7 at compile time.
// Two backends give the same bits: AMX's instructions, and plain C++ for every other CPU.
//
// A tile of sums has 16 rows of 16 float32 or int32. multiply_bf16<c, a, b> adds A · B to tile c. A
// has 16 rows of 32 bfloat16. Row p of B has the inputs 2p and 2p + 1 of 16 columns side by side.
// The products of 8-bit integers take four inputs at a time in the same way. Source: Intel 64 and
// IA-32 Architectures Software Developer's Manual, volume 2, TDPBF16PS and TDPBSSD; volume 1,
// chapter 18.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/kernels/xsimd_shim.h"

namespace vit::inline internal::kernels {

inline constexpr std::size_t tile_rows = 16;   ///< of every tile
inline constexpr std::size_t tile_bytes = 64;  ///< of every row
inline constexpr std::size_t tile_count = 8;

/// AMX's instructions. The thread must have configured its tiles (engine/kernels/tile_state.h).
/// Strides are in bytes. Loads and stores clobber memory, so that the compiler does not move memory
/// accesses across them. A gives the functions names of their own, as everywhere here
/// (xsimd_shim.h).
template <class A>
struct AmxTiles {
    template <int t>
    void zero() const noexcept {
        asm volatile("tilezero %%tmm%c0" ::"i"(t));
    }
    template <int t>
    void load(const void* p, std::size_t stride) const noexcept {
        asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(p), "r"(stride), "i"(t) : "memory");
    }
    /// For data that is not read again soon: it does not displace other data from the L1 cache.
    template <int t>
    void load_streaming(const void* p, std::size_t stride) const noexcept {
        asm volatile("tileloaddt1 (%0,%1,1), %%tmm%c2" ::"r"(p), "r"(stride), "i"(t) : "memory");
    }
    template <int t>
    void store(void* p, std::size_t stride) const noexcept {
        asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(p), "r"(stride), "i"(t) : "memory");
    }
    template <int c, int a, int b>
    void multiply_bf16() const noexcept {
        asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(c), "i"(a), "i"(b));
    }
    /// Multiplies signed or unsigned bytes of A and B. Sums wrap.
    template <int c, int a, int b>
    void multiply_s8s8() const noexcept {
        asm volatile("tdpbssd %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(c), "i"(a), "i"(b));
    }
    template <int c, int a, int b>
    void multiply_s8u8() const noexcept {
        asm volatile("tdpbsud %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(c), "i"(a), "i"(b));
    }
    template <int c, int a, int b>
    void multiply_u8s8() const noexcept {
        asm volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(c), "i"(a), "i"(b));
    }
    template <int c, int a, int b>
    void multiply_u8u8() const noexcept {
        asm volatile("tdpbuud %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(c), "i"(a), "i"(b));
    }
};

/// Does what the instructions do, in C++ on vectors of A. An object holds the eight tiles.
template <class A>
class PlainTiles {
  public:
    template <int t>
    void zero() noexcept {
        __builtin_memset(tiles_[t], 0, sizeof tiles_[t]);
    }
    // Loads may include rows that another thread writes at the same time. The results for such rows
    // are dropped. The instruction does the same.
    template <int t>
#if defined(__SANITIZE_THREAD__)
    __attribute__((no_sanitize("thread"), noinline))
#endif
    void
    load(const void* p, std::size_t stride) noexcept {
#if defined(__SANITIZE_THREAD__)
        for (std::size_t r = 0; r < tile_rows; ++r)
            for (std::size_t i = 0; i < tile_bytes / 4; ++i) {
                // Not memcpy, because ThreadSanitizer would check it.
                const auto* from = static_cast<const unsigned char*>(p) + r * stride + 4 * i;
                tiles_[t][r][i] = static_cast<std::uint32_t>(
                    from[0] | from[1] << 8 | from[2] << 16 | std::uint32_t{from[3]} << 24);
            }
#else
        for (std::size_t r = 0; r < tile_rows; ++r)
            __builtin_memcpy(tiles_[t][r], static_cast<const char*>(p) + r * stride, tile_bytes);
#endif
    }
    template <int t>
    void load_streaming(const void* p, std::size_t stride) noexcept {
        load<t>(p, stride);
    }
    template <int t>
    void store(void* p, std::size_t stride) const noexcept {
        for (std::size_t r = 0; r < tile_rows; ++r)
            __builtin_memcpy(static_cast<char*>(p) + r * stride, tiles_[t][r], tile_bytes);
    }

    /// Even and odd inputs are summed separately, each in a chain of fused multiply-adds from zero.
    /// Then the sum of both is added to the tile. Subnormal operands and results count as zero.
    template <int c, int a, int b>
    void multiply_bf16() noexcept {
        using V = F32<A>;
        constexpr std::size_t w = width<A>, vectors = 16 / w;
        alignas(64) float even[16][16], odd[16][16];  // of B
        for (std::size_t k = 0; k < 16; ++k)
            for (std::size_t n = 0; n < 16; ++n) {
                even[k][n] = low_half(tiles_[b][k][n]);
                odd[k][n] = high_half(tiles_[b][k][n]);
            }
        for (std::size_t m = 0; m < 16; ++m) {
            V sums[2][vectors];
            for (std::size_t v = 0; v < vectors; ++v) sums[0][v] = sums[1][v] = V(0.0F);
            for (std::size_t k = 0; k < 16; ++k) {
                const float first = low_half(tiles_[a][m][k]), second = high_half(tiles_[a][m][k]);
                for (std::size_t v = 0; v < vectors; ++v) {
                    sums[0][v] = fused(first, V::load_aligned(even[k] + v * w), sums[0][v]);
                    sums[1][v] = fused(second, V::load_aligned(odd[k] + v * w), sums[1][v]);
                }
            }
            auto* row = reinterpret_cast<float*>(tiles_[c][m]);
            for (std::size_t v = 0; v < vectors; ++v) {
                const V before = flushed(V::load_aligned(row + v * w));
                flushed(before + flushed(sums[0][v] + sums[1][v])).store_aligned(row + v * w);
            }
        }
    }

    template <int c, int a, int b>
    void multiply_s8s8() noexcept {
        multiply_bytes<c, a, b, std::int8_t, std::int8_t>();
    }
    template <int c, int a, int b>
    void multiply_s8u8() noexcept {
        multiply_bytes<c, a, b, std::int8_t, std::uint8_t>();
    }
    template <int c, int a, int b>
    void multiply_u8s8() noexcept {
        multiply_bytes<c, a, b, std::uint8_t, std::int8_t>();
    }
    template <int c, int a, int b>
    void multiply_u8u8() noexcept {
        multiply_bytes<c, a, b, std::uint8_t, std::uint8_t>();
    }

  private:
    static float bits_to_float(std::uint32_t bits) noexcept {
        float x;
        // A bfloat16 is subnormal where the float of the same bits is.
        const std::uint32_t kept = (bits & 0x7f800000U) == 0 ? bits & 0x80000000U : bits;
        __builtin_memcpy(&x, &kept, sizeof x);
        return x;
    }
    static float low_half(std::uint32_t pair) noexcept {
        return bits_to_float(pair << 16);
    }
    static float high_half(std::uint32_t pair) noexcept {
        return bits_to_float(pair & 0xffff0000U);
    }

    static F32<A> flushed(F32<A> v) noexcept {
        using V = F32<A>;
        return xsimd::select(xsimd::abs(v) < V(0x1p-126F), v & V(-0.0F), v);
    }

    /// x · y + z, rounded once. x and y are bfloat16 values.
    static F32<A> fused(float factor, F32<A> y, F32<A> z) noexcept {
        using V = F32<A>;
        const V x(factor);
#if defined(__FMA__) || defined(__AVX512F__)
        return flushed(fmadd<A>(x, y, z));
#else
        // The product has 16 significant bits, so it is exact unless it overflows or underflows.
        const V product = x * y;
        const V size = xsimd::abs(product);
        const auto inexact = ((size < V(0x1p-126F)) & (x != V(0.0F)) & (y != V(0.0F))) |
                             (size > V(3.4028234663852886e38F));
        if (!xsimd::any(inexact)) return flushed(product + z);
        alignas(V) float ys[width<A>], zs[width<A>];
        y.store_aligned(ys);
        z.store_aligned(zs);
        for (std::size_t i = 0; i < width<A>; ++i) zs[i] = __builtin_fmaf(factor, ys[i], zs[i]);
        return flushed(V::load_aligned(zs));
#endif
    }

    template <int c, int a, int b, class X, class Y>
    void multiply_bytes() noexcept {
        for (std::size_t m = 0; m < 16; ++m)
            for (std::size_t k = 0; k < 16; ++k)
                for (std::size_t n = 0; n < 16; ++n) {
                    std::int32_t sum = 0;
                    for (unsigned byte = 0; byte < 4; ++byte)
                        sum += static_cast<X>(tiles_[a][m][k] >> (8 * byte)) *
                               static_cast<Y>(tiles_[b][k][n] >> (8 * byte));
                    tiles_[c][m][n] += static_cast<std::uint32_t>(sum);
                }
    }

    alignas(64) std::uint32_t tiles_[tile_count][tile_rows][tile_bytes / 4];
};

}  // namespace vit::inline internal::kernels
