// What the kernels need from xsimd, with one interface for versions 8 and 13: names that moved,
// reductions in a fixed order, and partial vectors.
//
// Everything here and in the kernels is a template on the architecture A, even where nothing
// depends on it. The linker may merge functions with the same name from two instruction sets. Then
// a CPU could run code for an instruction set that it lacks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <xsimd/xsimd.hpp>
#if defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace vit::inline internal::kernels {

/// xsimd's architecture for A. An instruction set that xsimd does not know has its own type here,
/// so that its kernels have their own names.
template <class A>
struct XsimdArch {
    using type = A;
};

template <class A>
using F32 = xsimd::batch<float, typename XsimdArch<A>::type>;
template <class A>
using I32 = xsimd::batch<std::int32_t, typename XsimdArch<A>::type>;

template <class A>
inline constexpr std::size_t width = F32<A>::size;  ///< floats in one vector

template <class A>
inline I32<A> as_int(F32<A> v) noexcept {
#if XSIMD_VERSION_MAJOR < 9
    return xsimd::bitwise_cast<I32<A>>(v);
#else
    return xsimd::bitwise_cast<std::int32_t>(v);
#endif
}

template <class A>
inline F32<A> as_float(I32<A> v) noexcept {
#if XSIMD_VERSION_MAJOR < 9
    return xsimd::bitwise_cast<F32<A>>(v);
#else
    return xsimd::bitwise_cast<float>(v);
#endif
}

/// a · b + c, rounded once where the architecture can do that. For AVX-512, xsimd 8 leaves the
/// fusing to the compiler, which must not fuse on its own here (engine/CMakeLists.txt).
template <class A>
inline F32<A> fmadd(F32<A> a, F32<A> b, F32<A> c) noexcept {
#if XSIMD_VERSION_MAJOR < 9 && defined(__AVX512F__)
    if constexpr (width<A> == 16) return F32<A>(_mm512_fmadd_ps(a, b, c));
#endif
    return xsimd::fma(a, b, c);
}

/// c − a · b, in the same way.
template <class A>
inline F32<A> fnmadd(F32<A> a, F32<A> b, F32<A> c) noexcept {
#if XSIMD_VERSION_MAJOR < 9 && defined(__AVX512F__)
    if constexpr (width<A> == 16) return F32<A>(_mm512_fnmadd_ps(a, b, c));
#endif
    return xsimd::fnma(a, b, c);
}

template <class A>
inline F32<A> load(const float* p) noexcept {
    return F32<A>::load_unaligned(p);
}

template <class A>
inline void store(float* p, F32<A> v) noexcept {
    v.store_unaligned(p);
}

/// Copies n < width floats in at most four moves. The compiler would turn a loop into a call of
/// memcpy.
template <class A>
inline void copy_few(float* to, const float* from, std::size_t n) noexcept {
    std::size_t done = 0;
    const auto move = [&]<std::size_t count>() {
        if ((n & count) == 0) return;
        __builtin_memcpy(to + done, from + done, count * sizeof(float));
        done += count;
    };
    if constexpr (width < A >> 8) move.template operator()<8>();
    if constexpr (width < A >> 4) move.template operator()<4>();
    move.template operator()<2>();
    move.template operator()<1>();
}

#if defined(__AVX512F__)
template <class A>
inline __mmask16 first_lanes(std::size_t n) noexcept {
    return static_cast<__mmask16>((1U << n) - 1U);
}
#endif

/// Loads the first n < width floats of p, and reads nothing after them. The other lanes are `fill`.
template <class A>
inline F32<A> load_partial(const float* p, std::size_t n, float fill) noexcept {
#if defined(__AVX512F__)
    if constexpr (width<A> == 16)
        return F32<A>(_mm512_mask_loadu_ps(F32<A>(fill), first_lanes<A>(n), p));
#endif
    alignas(F32<A>) float lanes[width<A>];
    F32<A>(fill).store_aligned(lanes);
    copy_few<A>(lanes, p, n);
    return F32<A>::load_aligned(lanes);
}

/// Stores the first n < width lanes of v to p, and writes nothing after them.
template <class A>
inline void store_partial(float* p, std::size_t n, F32<A> v) noexcept {
#if defined(__AVX512F__)
    if constexpr (width<A> == 16) return _mm512_mask_storeu_ps(p, first_lanes<A>(n), v);
#endif
    alignas(F32<A>) float lanes[width<A>];
    v.store_aligned(lanes);
    copy_few<A>(p, lanes, n);
}

/// v with zeros in the lanes from n on, also where they were NaN.
template <class A>
inline F32<A> keep_first(std::size_t n, F32<A> v) noexcept {
#if defined(__AVX512F__)
    if constexpr (width<A> == 16) return F32<A>(_mm512_maskz_mov_ps(first_lanes<A>(n), v));
#endif
    alignas(F32<A>) static constexpr float index[] = {0, 1, 2,  3,  4,  5,  6,  7,
                                                      8, 9, 10, 11, 12, 13, 14, 15};
    static_assert(width<A> <= 16);
    return xsimd::select(F32<A>::load_aligned(index) < F32<A>(static_cast<float>(n)), v,
                         F32<A>(0.0F));
}

/// f(… of all lanes …) as a balanced tree, which starts with lanes i and i + width / 2.
template <class A, class Function>
inline float fold_lanes(F32<A> v, Function f) noexcept {
#if defined(__AVX512F__)
    if constexpr (width<A> == 16) {
        // Stays in registers: a row has one or two of these, and a store to memory adds its
        // latency.
        using V = F32<A>;
        V x = f(v, V(_mm512_shuffle_f32x4(v, v, 0x4e)));
        x = f(x, V(_mm512_shuffle_f32x4(x, x, 0xb1)));
        x = f(x, V(_mm512_permute_ps(x, 0x4e)));
        x = f(x, V(_mm512_permute_ps(x, 0xb1)));
        return _mm512_cvtss_f32(x);
    }
#endif
    alignas(F32<A>) float lanes[width<A>];
    v.store_aligned(lanes);
    for (std::size_t half = width<A> / 2; half > 0; half /= 2)
        for (std::size_t i = 0; i < half; ++i) lanes[i] = f(lanes[i], lanes[i + half]);
    return lanes[0];
}

template <class A>
inline float sum_lanes(F32<A> v) noexcept {
    return fold_lanes<A>(v, [](auto x, auto y) { return x + y; });
}

/// The largest lane. Undefined where a lane is NaN.
template <class A>
inline float max_lane(F32<A> v) noexcept {
    return fold_lanes<A>(v, [](auto x, auto y) {
        if constexpr (sizeof(x) == sizeof(float))
            return x < y ? y : x;
        else
            return xsimd::max(x, y);
    });
}

/// min and max that return NaN where v is NaN.
template <class A>
inline F32<A> at_most(float bound, F32<A> v) noexcept {
    return xsimd::min(F32<A>(bound), v);  // where one operand is NaN, x86 returns the second
}
template <class A>
inline F32<A> at_least(float bound, F32<A> v) noexcept {
    return xsimd::max(F32<A>(bound), v);
}

}  // namespace vit::inline internal::kernels
