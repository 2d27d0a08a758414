// Elements that are narrower than a lane. A lane has 32 bits. It holds one float, or two bfloat16
// (std::uint16_t, the upper half of a float) that are neighbours along a sum. Files that are
// compiled for AVX512_BF16 load and round bfloat16 with instructions; other files use plain C++,
// with the same bits. Only the former can multiply bfloat16.
#pragma once

#include "engine/kernels/xsimd_shim.h"

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace vit::inline internal::kernels {

/// Stores two vectors side by side.
template <class A>
inline void store_two(float* p, F32<A> first, F32<A> second) noexcept {
    store<A>(p, first);
    store<A>(p + width<A>, second);
}

#if defined(__AVX512BF16__)

/// Loads a vector of bfloat16 as floats.
template <class A>
inline F32<A> load(const std::uint16_t* p) noexcept {
    const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    return F32<A>(_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16)));
}

/// Rounds to nearest even. Subnormal numbers become zero.
template <class A>
inline __m256i round_lanes(F32<A> v) noexcept {
    const __m256bh rounded = _mm512_cvtneps_pbh(v);
    __m256i bits;
    __builtin_memcpy(&bits, &rounded, sizeof bits);
    return bits;
}

template <class A>
inline void store(std::uint16_t* p, F32<A> v) noexcept {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), round_lanes<A>(v));
}

template <class A>
inline F32<A> load_partial(const std::uint16_t* p, std::size_t n, float fill) noexcept {
    const auto mask = static_cast<__mmask16>((1U << n) - 1U);
    const __m512i bits = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, p));
    const F32<A> v(_mm512_castsi512_ps(_mm512_slli_epi32(bits, 16)));
    return F32<A>(_mm512_mask_blend_ps(mask, F32<A>(fill), v));
}

template <class A>
inline void store_partial(std::uint16_t* p, std::size_t n, F32<A> v) noexcept {
    _mm256_mask_storeu_epi16(p, static_cast<__mmask16>((1U << n) - 1U), round_lanes<A>(v));
}

template <class A>
inline void store_two(std::uint16_t* p, F32<A> first, F32<A> second) noexcept {
    const __m512bh rounded = _mm512_cvtne2ps_pbh(second, first);
    __builtin_memcpy(p, &rounded, sizeof rounded);
}

/// acc + the two products of every lane, in float32.
template <class A>
inline F32<A> multiply_lanes(F32<A> x, F32<A> y, F32<A> acc, std::uint16_t) noexcept {
    __m512bh a, b;
    const __m512 x_bits = x, y_bits = y;
    __builtin_memcpy(&a, &x_bits, sizeof a);
    __builtin_memcpy(&b, &y_bits, sizeof b);
    return F32<A>(_mm512_dpbf16_ps(acc, a, b));
}

/// Interleaves one vector of each of two rows, `stride` elements apart. A lane of `to` then holds
/// both elements of a column.
template <class A>
inline void interleave_vector(const std::uint16_t* rows, std::size_t stride,
                              std::uint16_t* to) noexcept {
    const auto wide = [&](std::size_t row) {
        return _mm512_cvtepu16_epi32(
            _mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows + row * stride)));
    };
    _mm512_storeu_si512(to, _mm512_or_si512(wide(0), _mm512_slli_epi32(wide(1), 16)));
}

#else

template <class A>
inline F32<A> load(const std::uint16_t* p) noexcept {
    alignas(F32<A>) std::uint32_t lanes[width<A>];
    for (std::size_t i = 0; i < width<A>; ++i) lanes[i] = std::uint32_t{p[i]} << 16;
    return F32<A>::load_aligned(reinterpret_cast<const float*>(lanes));
}

template <class A>
inline F32<A> load_partial(const std::uint16_t* p, std::size_t n, float fill) noexcept {
    alignas(F32<A>) float lanes[width<A>];
    F32<A>(fill).store_aligned(lanes);
    for (std::size_t i = 0; i < n; ++i) {
        const std::uint32_t bits = std::uint32_t{p[i]} << 16;
        __builtin_memcpy(lanes + i, &bits, sizeof bits);
    }
    return F32<A>::load_aligned(lanes);
}

/// Rounds to nearest even. Subnormal numbers become zero, and NaN stays NaN.
template <class A>
inline void store_partial(std::uint16_t* p, std::size_t n, F32<A> v) noexcept {
    alignas(F32<A>) float lanes[width<A>];
    v.store_aligned(lanes);
    for (std::size_t i = 0; i < n; ++i) {
        std::uint32_t bits;
        __builtin_memcpy(&bits, lanes + i, sizeof bits);
        const std::uint32_t exponent = bits & 0x7f800000U;
        if (exponent == 0)
            bits &= 0x80000000U;
        else if (exponent == 0x7f800000U)
            bits |= (bits & 0x007fffffU) == 0 ? 0 : 0x00400000U;
        else
            bits += 0x7fffU + (bits >> 16 & 1U);
        p[i] = static_cast<std::uint16_t>(bits >> 16);
    }
}

template <class A>
inline void store(std::uint16_t* p, F32<A> v) noexcept {
    store_partial<A>(p, width<A>, v);
}

template <class A>
inline void store_two(std::uint16_t* p, F32<A> first, F32<A> second) noexcept {
    store<A>(p, first);
    store<A>(p + width<A>, second);
}

template <class A>
inline void interleave_vector(const std::uint16_t* rows, std::size_t stride,
                              std::uint16_t* to) noexcept {
    for (std::size_t i = 0; i < width<A>; ++i) {
        to[2 * i] = rows[i];
        to[2 * i + 1] = rows[stride + i];
    }
}

#endif

template <class A>
inline float to_float(std::uint16_t bits) noexcept {
    const std::uint32_t wide = std::uint32_t{bits} << 16;
    float x;
    __builtin_memcpy(&x, &wide, sizeof x);
    return x;
}

template <class A>
inline F32<A> multiply_lanes(F32<A> x, F32<A> y, F32<A> acc, float) noexcept {
    return fmadd<A>(x, y, acc);
}

/// Copies a vector of one row.
template <class A>
inline void interleave_vector(const float* row, std::size_t, float* to) noexcept {
    store<A>(to, load<A>(row));
}

/// Interleaves `vectors` vectors, which are side by side in the rows and follow each other in `to`.
template <class A, std::size_t vectors, class T>
inline void interleave_rows(const T* rows, std::size_t stride, T* to) noexcept {
    constexpr std::size_t per_lane = sizeof(float) / sizeof(T);
    for (std::size_t v = 0; v < vectors; ++v)
        interleave_vector<A>(rows + v * width<A>, stride, to + v * width<A> * per_lane);
}

/// x[i] = f(x[i]), a vector at a time. The result for an element does not depend on its position.
template <class A, class T, class Function>
inline void apply(T* x, std::size_t count, Function f) noexcept {
    std::size_t i = 0;
    for (; i + width<A> <= count; i += width<A>) store<A>(x + i, f(load<A>(x + i)));
    if (i < count) store_partial<A>(x + i, count - i, f(load_partial<A>(x + i, count - i, 0)));
}

/// Copies the bits of one lane to every lane.
template <class A, class T>
inline F32<A> broadcast_lane(const T* p) noexcept {
    float bits;
    __builtin_memcpy(&bits, p, sizeof bits);
    return F32<A>(bits);
}

/// Loads the lanes of a vector, whatever type they hold.
template <class A, class T>
inline F32<A> load_lanes(const T* p) noexcept {
    return F32<A>::load_unaligned(reinterpret_cast<const float*>(p));
}

/// Copies lane d of row i to lane i of row d, for as many rows as a vector has lanes. `from_stride`
/// counts elements, `to_stride` counts lanes.
template <class A, class T>
inline void transpose_lanes(const T* from, std::size_t from_stride, T* to,
                            std::size_t to_stride) noexcept {
    constexpr std::size_t per_lane = sizeof(float) / sizeof(T);
    to_stride *= per_lane;
#if defined(__AVX512F__)
    if constexpr (width<A> == 16) {
        __m512i a[16], b[16];
        for (std::size_t i = 0; i < 16; ++i) a[i] = _mm512_loadu_si512(from + i * from_stride);
        for (std::size_t i = 0; i < 16; i += 2) {
            b[i] = _mm512_unpacklo_epi32(a[i], a[i + 1]);
            b[i + 1] = _mm512_unpackhi_epi32(a[i], a[i + 1]);
        }
        for (std::size_t i = 0; i < 16; i += 4)
            for (std::size_t j = 0; j < 2; ++j) {
                a[i + 2 * j] = _mm512_unpacklo_epi64(b[i + j], b[i + j + 2]);
                a[i + 2 * j + 1] = _mm512_unpackhi_epi64(b[i + j], b[i + j + 2]);
            }
        for (std::size_t i = 0; i < 4; ++i) {
            b[i] = _mm512_shuffle_i32x4(a[i], a[i + 4], 0x88);
            b[i + 4] = _mm512_shuffle_i32x4(a[i], a[i + 4], 0xdd);
            b[i + 8] = _mm512_shuffle_i32x4(a[i + 8], a[i + 12], 0x88);
            b[i + 12] = _mm512_shuffle_i32x4(a[i + 8], a[i + 12], 0xdd);
        }
        for (std::size_t i = 0; i < 8; ++i) {
            _mm512_storeu_si512(to + i * to_stride, _mm512_shuffle_i32x4(b[i], b[i + 8], 0x88));
            _mm512_storeu_si512(to + (i + 8) * to_stride,
                                _mm512_shuffle_i32x4(b[i], b[i + 8], 0xdd));
        }
        return;
    }
#endif
    for (std::size_t i = 0; i < width<A>; ++i)
        for (std::size_t d = 0; d < width<A>; ++d)
            for (std::size_t j = 0; j < per_lane; ++j)
                to[d * to_stride + i * per_lane + j] = from[i * from_stride + d * per_lane + j];
}

}  // namespace vit::inline internal::kernels
