// The instructions that multiply int8 and add the products in int32, for int8_linear.h. Each type
// has: how many vectors of columns and how many rows are computed together, how many bytes of
// weights are read again and again from the L1 cache (chunk_bytes), the type of a vector of sums,
// and the function that multiplies four inputs of each row with the four weights of each column and
// adds the products to the sums.
#pragma once

#include <type_traits>
#include <utility>

#include "engine/kernels/xsimd_shim.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace vit::inline internal::kernels {

/// Calls f with each number below n as a constant. With loops, GCC 12 also stores the sums to
/// memory after every step.
template <std::size_t n, class F>
__attribute__((always_inline)) inline void for_each_below(F f) {
    [&]<std::size_t... i>(std::index_sequence<i...>) __attribute__((always_inline)) {
        (f(std::integral_constant<std::size_t, i>()), ...);
    }
    (std::make_index_sequence<n>());
}

/// Plain C++, for any CPU.
template <class A>
struct PlainDot {
    static constexpr std::size_t vectors = 4, block_rows = 2, chunk_bytes = 24 * 1024;
    struct Sums {
        std::int32_t lanes[width<A>];
    };

    static Sums load(const std::int32_t* p) {
        Sums sums;
        __builtin_memcpy(sums.lanes, p, sizeof sums.lanes);
        return sums;
    }
    static void store(std::int32_t* p, const Sums& sums) {
        __builtin_memcpy(p, sums.lanes, sizeof sums.lanes);
    }
    template <std::size_t rows>
    static void add_products(Sums (&sums)[rows][vectors], const std::uint8_t* x,
                             std::size_t x_stride, const std::int8_t* weights) {
        for (std::size_t r = 0; r < rows; ++r)
            for (std::size_t v = 0; v < vectors; ++v)
                for (std::size_t c = 0; c < width<A>; ++c)
                    for (std::size_t i = 0; i < 4; ++i)
                        sums[r][v].lanes[c] +=
                            x[r * x_stride + i] * weights[(v * width<A> + c) * 4 + i];
    }
};

#if defined(__AVX2__) && !defined(__AVX512F__)

/// AVX2: vpmaddubsw adds two products in int16. It never saturates, because the magnitudes of two
/// neighbouring weights add up to at most 128, and 255 · 128 < 2¹⁵.
template <class A>
struct Avx2Dot {
    static constexpr std::size_t vectors = 6, block_rows = 2, chunk_bytes = 24 * 1024;
    using Sums = __m256i;

    static Sums load(const std::int32_t* p) {
        return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    }
    static void store(std::int32_t* p, Sums sums) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), sums);
    }
    /// Assembly, because GCC 12 would keep some of the sums in memory.
    template <std::size_t rows>
    __attribute__((always_inline)) static void add_products(Sums (&sums)[rows][vectors],
                                                            const std::uint8_t* p,
                                                            std::size_t x_stride,
                                                            const std::int8_t* weights) {
        const __m256i ones = _mm256_set1_epi16(1);
        __m256i x[rows];
        for_each_below<rows>([&](auto r) __attribute__((always_inline)) {
            int four;
            __builtin_memcpy(&four, p + r() * x_stride, sizeof four);
            x[r()] = _mm256_set1_epi32(four);
        });
        for_each_below<vectors * rows>([&](auto n) __attribute__((always_inline)) {
            constexpr std::size_t v = n() / rows, r = n() % rows;
            __m256i sum = sums[r][v], products;
            const __m256i inputs = x[r];
            asm volatile(
                "vpmaddubsw %3, %2, %1\n\t"
                "vpmaddwd %4, %1, %1\n\t"
                "vpaddd %1, %0, %0"
                : "+x"(sum), "=&x"(products)
                : "x"(inputs), "m"(*reinterpret_cast<const __m256i*>(weights + v * 32)), "x"(ones));
            sums[r][v] = sum;
        });
    }
};

#endif

/// VNNI: vpdpbusd adds four products to a sum. `Row` multiplies the inputs of one row.
template <class A, class Row>
struct VnniDot {
    static constexpr std::size_t vectors = 3, block_rows = Row::block_rows,
                                 chunk_bytes = Row::chunk_bytes;
    using Sums = typename Row::Vector;

    static Sums load(const std::int32_t* p) { return Row::load(p); }
    static void store(std::int32_t* p, Sums sums) { Row::store(p, sums); }
    template <std::size_t rows>
    __attribute__((always_inline)) static void add_products(Sums (&sums)[rows][vectors],
                                                            const std::uint8_t* x,
                                                            std::size_t x_stride,
                                                            const std::int8_t* weights) {
        constexpr std::size_t bytes = sizeof(Sums);
        const Sums w0 = Row::load(weights), w1 = Row::load(weights + bytes),
                   w2 = Row::load(weights + 2 * bytes);
        for_each_below<rows>([&](auto r) __attribute__((always_inline)) {
            Sums s0 = sums[r()][0], s1 = sums[r()][1], s2 = sums[r()][2];
            Row::add_products(s0, s1, s2, x + r() * x_stride, w0, w1, w2);
            sums[r()][0] = s0;
            sums[r()][1] = s1;
            sums[r()][2] = s2;
        });
    }
};

// The rows below are assembly, which keeps the order of the instructions. GCC 12 would load the
// inputs of all rows first, and then the sums would not fit into the registers.

#if defined(__AVX2__) && !defined(__AVX512F__)

/// AVX-VNNI: 16 registers of 32 bytes.
struct AvxVnniRow {
    static constexpr std::size_t block_rows = 4, chunk_bytes = 24 * 1024;
    using Vector = __m256i;

    static Vector load(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
    static void store(void* p, Vector v) { _mm256_storeu_si256(static_cast<__m256i*>(p), v); }
    static void add_products(Vector& s0, Vector& s1, Vector& s2, const std::uint8_t* p, Vector w0,
                             Vector w1, Vector w2) {
        Vector x;
        asm volatile(
            "vpbroadcastd %4, %3\n\t"
            "%{vex%} vpdpbusd %5, %3, %0\n\t"
            "%{vex%} vpdpbusd %6, %3, %1\n\t"
            "%{vex%} vpdpbusd %7, %3, %2"
            : "+x"(s0), "+x"(s1), "+x"(s2), "=&x"(x)
            : "m"(*reinterpret_cast<const std::uint8_t(*)[4]>(p)), "x"(w0), "x"(w1), "x"(w2));
    }
};

#endif

#if defined(__AVX512VNNI__)

/// AVX512_VNNI: 32 registers of 64 bytes.
struct Avx512VnniRow {
    // More than an L1 cache of 32 KB, but 768 inputs then need no second chunk, which is faster
    // with 48 KB and not slower with 32 KB.
    static constexpr std::size_t block_rows = 8, chunk_bytes = 48 * 1024;
    using Vector = __m512i;

    static Vector load(const void* p) { return _mm512_loadu_si512(p); }
    static void store(void* p, Vector v) { _mm512_storeu_si512(p, v); }
    static void add_products(Vector& s0, Vector& s1, Vector& s2, const std::uint8_t* p, Vector w0,
                             Vector w1, Vector w2) {
        Vector x;
        asm volatile(
            "vpbroadcastd %4, %3\n\t"
            "vpdpbusd %5, %3, %0\n\t"
            "vpdpbusd %6, %3, %1\n\t"
            "vpdpbusd %7, %3, %2"
            : "+v"(s0), "+v"(s1), "+v"(s2), "=&v"(x)
            : "m"(*reinterpret_cast<const std::uint8_t(*)[4]>(p)), "v"(w0), "v"(w1), "v"(w2));
    }
};

#endif

}  // namespace vit::inline internal::kernels
