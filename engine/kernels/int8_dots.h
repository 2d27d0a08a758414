// The instructions that multiply int8 and add the products in int32, for int8_linear.h. Each type
// has: the byte of the number 0; how many vectors of columns and how many rows are computed
// together; the types of a vector of sums and of weights; and the function that adds the products
// of four inputs of a row.
#pragma once

#include "engine/kernels/xsimd_shim.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace vit::inline internal::kernels {

/// Plain C++, for any CPU.
template <class A>
struct PlainDot {
    static constexpr std::uint8_t zero = 0;
    static constexpr std::size_t vectors = 4, block_rows = 2;
    struct Sums {
        std::int32_t lanes[width<A>];
    };
    struct Weights {
        const std::int8_t* numbers;
    };

    static Sums none() { return {}; }
    static Sums load(const std::int32_t* p) {
        Sums sums;
        __builtin_memcpy(sums.lanes, p, sizeof sums.lanes);
        return sums;
    }
    static void store(std::int32_t* p, const Sums& sums) {
        __builtin_memcpy(p, sums.lanes, sizeof sums.lanes);
    }
    static Weights load_weights(const std::int8_t* p) { return {p}; }
    static void add_products(Sums (&sums)[vectors], const std::uint8_t* x,
                             const Weights (&weights)[vectors]) {
        for (std::size_t v = 0; v < vectors; ++v)
            for (std::size_t c = 0; c < width<A>; ++c)
                for (std::size_t i = 0; i < 4; ++i)
                    sums[v].lanes[c] +=
                        static_cast<std::int8_t>(x[i]) * weights[v].numbers[c * 4 + i];
    }
};

#if defined(__AVX2__) && !defined(__AVX512F__)

/// AVX2: |x| · sign(w, x) in int16. Both are within ±127, so that the sum of two products never
/// saturates, and all eight bits count.
template <class A>
struct Avx2Dot {
    static constexpr std::uint8_t zero = 0;
    static constexpr std::size_t vectors = 2, block_rows = 4;
    using Sums = __m256i;
    using Weights = __m256i;

    static Sums none() { return _mm256_setzero_si256(); }
    static Sums load(const std::int32_t* p) {
        return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    }
    static void store(std::int32_t* p, Sums sums) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), sums);
    }
    static Weights load_weights(const std::int8_t* p) {
        return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    }
    static void add_products(Sums (&sums)[vectors], const std::uint8_t* p,
                             const Weights (&weights)[vectors]) {
        int four;
        __builtin_memcpy(&four, p, sizeof four);
        const __m256i x = _mm256_set1_epi32(four), magnitude = _mm256_abs_epi8(x),
                      ones = _mm256_set1_epi16(1);
        const auto added = [&](__m256i sum, __m256i w) {
            const __m256i pairs = _mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(w, x));
            return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, ones));
        };
        static_assert(vectors == 2);
        sums[0] = added(sums[0], weights[0]);
        sums[1] = added(sums[1], weights[1]);
    }
};

#endif

#if defined(__AVX512VNNI__)

/// AVX-512 VNNI: one instruction, with unsigned x.
template <class A>
struct VnniDot {
    static constexpr std::uint8_t zero = 128;
    static constexpr std::size_t vectors = 3, block_rows = 8;
    using Sums = __m512i;
    using Weights = __m512i;

    static Sums none() { return _mm512_setzero_si512(); }
    static Sums load(const std::int32_t* p) { return _mm512_loadu_si512(p); }
    static void store(std::int32_t* p, Sums sums) { _mm512_storeu_si512(p, sums); }
    static Weights load_weights(const std::int8_t* p) { return _mm512_loadu_si512(p); }
    /// Assembly keeps the order of the instructions. GCC 12 would load the inputs of all rows
    /// first, and then the sums would not fit into the registers.
    static void add_products(Sums (&sums)[vectors], const std::uint8_t* p,
                             const Weights (&weights)[vectors]) {
        static_assert(vectors == 3);
        __m512i x, s0 = sums[0], s1 = sums[1], s2 = sums[2];
        asm volatile(
            "vpbroadcastd %4, %3\n\t"
            "vpdpbusd %5, %3, %0\n\t"
            "vpdpbusd %6, %3, %1\n\t"
            "vpdpbusd %7, %3, %2"
            : "+v"(s0), "+v"(s1), "+v"(s2), "=&v"(x)
            : "m"(*reinterpret_cast<const std::uint8_t(*)[4]>(p)), "v"(weights[0]), "v"(weights[1]),
              "v"(weights[2]));
        sums[0] = s0;
        sums[1] = s1;
        sums[2] = s2;
    }
};

#endif

}  // namespace vit::inline internal::kernels
