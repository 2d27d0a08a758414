// Quantises rows of float32 or bfloat16 to int8, and normalises and quantises them in one pass.
#pragma once

#include "engine/kernels/int8_kernels.h"
#include "engine/kernels/layer_norm.h"
#include "engine/kernels/rms_norm.h"

namespace vit::inline internal::kernels {

/// Stores the lanes of v, rounded to nearest even, as bytes number + int8_zero. Lanes are within
/// ±127.4.
template <class A>
inline void store_numbers(std::uint8_t* to, F32<A> v) noexcept {
#if defined(__AVX512F__)
    if constexpr (width<A> == 16) {
        const __m128i bytes = _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(v));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to),
                         _mm_add_epi8(bytes, _mm_set1_epi8(static_cast<char>(int8_zero))));
        return;
    }
#endif
#if defined(__AVX2__)
    if constexpr (width<A> == 8) {
        const __m256i numbers = _mm256_cvtps_epi32(v);
        const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(numbers),
                                              _mm256_extracti128_si256(numbers, 1)),
                      bytes = _mm_packs_epi16(words, words);
        _mm_storel_epi64(reinterpret_cast<__m128i*>(to),
                         _mm_add_epi8(bytes, _mm_set1_epi8(static_cast<char>(int8_zero))));
        return;
    }
#endif
    alignas(F32<A>) float lanes[width<A>];
    v.store_aligned(lanes);
    for (std::size_t i = 0; i < width<A>; ++i)
        to[i] = static_cast<std::uint8_t>(__builtin_lrintf(lanes[i]) + int8_zero);
}

/// One row; `cols` > 0.
template <class A, class In>
inline void quantize_row(const In* in, std::size_t cols, std::uint8_t* to) noexcept {
    using V = F32<A>;
    constexpr std::size_t w = width<A>;
    const std::size_t whole = cols - cols % w, rest = cols - whole, padded = int8_padded(cols);
    // Lanes after the end hold the row's first element.
    float first;
    if constexpr (sizeof(In) == sizeof(float))
        first = in[0];
    else
        first = to_float<A>(in[0]);
    const V tail = load_partial<A>(in + whole, rest, first);
    V least = tail, most = tail, invalid(0.0F);
    const auto look_at = [&](V x) {
        least = xsimd::min(least, x);
        most = xsimd::max(most, x);
        invalid = fmadd<A>(x, V(0.0F), invalid);  // 0 · x is NaN for a NaN and for an infinity
    };
    for (std::size_t i = 0; i < whole; i += w) look_at(load<A>(in + i));
    look_at(tail);

    const bool valid = sum_lanes<A>(invalid) == 0.0F;
    // Halves, because the difference of two large numbers may overflow.
    const float low = -max_lane<A>(-least) * 0.5F, high = max_lane<A>(most) * 0.5F;
    const float half = valid ? high - low : 0.0F, shift = valid ? high + low : 0.0F;
    float scale = valid ? 0.0F : __builtin_nanf("");
    if (half >= 0.5e-30F) {
        scale = half / 127.0F;
        const V inverse(127.0F / half), middle(shift);
        for (std::size_t i = 0; i < whole; i += w)
            store_numbers<A>(to + i, (load<A>(in + i) - middle) * inverse);
        std::uint8_t last[w];
        store_numbers<A>(last, (tail - middle) * inverse);
        __builtin_memcpy(to + whole, last, rest);
    } else {
        __builtin_memset(to, int8_zero, cols);
    }
    __builtin_memset(to + cols, int8_zero, padded - cols);
    __builtin_memcpy(to + padded, &scale, sizeof scale);
    __builtin_memcpy(to + padded + sizeof scale, &shift, sizeof shift);
}

template <class A>
inline std::uint8_t* int8_row(const Int8Rows& rows, std::size_t r) noexcept {
    return rows.data + r * int8_stride(rows.cols);
}

template <class A, class In>
void quantize(Matrix<const In> in, Int8Rows out) {
    for (std::size_t r = 0; r < out.rows; ++r)
        quantize_row<A>(in.data + r * in.row, out.cols, int8_row<A>(out, r));
}

template <class A>
void layer_norm_int8(Matrix<const float> in, Int8Rows out, const NormParameters& norm, float* row) {
    for (std::size_t r = 0; r < out.rows; ++r) {
        layer_norm_row<A>(in.data + r * in.row, row, out.cols, norm);
        quantize_row<A>(row, out.cols, int8_row<A>(out, r));
    }
}

template <class A>
void rms_norm_int8(Matrix<const float> in, Int8Rows out, const NormParameters& norm, float* row) {
    for (std::size_t r = 0; r < out.rows; ++r) {
        rms_norm_row<A>(in.data + r * in.row, row, out.cols, norm);
        quantize_row<A>(row, out.cols, int8_row<A>(out, r));
    }
}

}  // namespace vit::inline internal::kernels
