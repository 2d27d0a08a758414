// What the kernels need of xsimd, the same for version 8 and 13: names that moved, reductions with
// an order of their own, and partial vectors.
//
// Everything here and in the kernels is a template on the architecture A, even where it would not
// need to be: a function that two instruction sets share by name may be merged by the linker, and
// then code for one runs on a CPU that lacks it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <xsimd/xsimd.hpp>

namespace vit::kernels {

/// xsimd's architecture for A. An instruction set that xsimd does not know is a type of its own
/// here, so that its kernels have names of their own.
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

/// a · b + c, rounded once where the architecture can. xsimd 8 leaves that to the compiler for
/// AVX-512, which must not fuse on its own here (engine/CMakeLists.txt).
template <class A>
inline F32<A> fmadd(F32<A> a, F32<A> b, F32<A> c) noexcept {
#if XSIMD_VERSION_MAJOR < 9 && defined(__AVX512F__)
    if constexpr (width<A> == 16) return F32<A>(_mm512_fmadd_ps(a, b, c));
#endif
    return xsimd::fma(a, b, c);
}

/// c − a · b, likewise.
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

/// Copies n < width floats in at most four moves, where a loop would become a call of memcpy.
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

/// The first n < width floats of p; the other lanes are `fill`. Reads nothing past them.
template <class A>
inline F32<A> load_partial(const float* p, std::size_t n, float fill) noexcept {
    alignas(F32<A>) float lanes[width<A>];
    F32<A>(fill).store_aligned(lanes);
    copy_few<A>(lanes, p, n);
    return F32<A>::load_aligned(lanes);
}

/// The first n < width lanes of v to p. Writes nothing past them.
template <class A>
inline void store_partial(float* p, std::size_t n, F32<A> v) noexcept {
    alignas(F32<A>) float lanes[width<A>];
    v.store_aligned(lanes);
    copy_few<A>(p, lanes, n);
}

/// v with lanes from n on replaced by zero, NaN or not.
template <class A>
inline F32<A> keep_first(std::size_t n, F32<A> v) noexcept {
    alignas(F32<A>) static constexpr float index[] = {0, 1, 2,  3,  4,  5,  6,  7,
                                                      8, 9, 10, 11, 12, 13, 14, 15};
    static_assert(width<A> <= 16);
    return xsimd::select(F32<A>::load_aligned(index) < F32<A>(static_cast<float>(n)), v,
                         F32<A>(0.0F));
}

/// Sum of all lanes as a balanced tree.
template <class A>
inline float sum_lanes(F32<A> v) noexcept {
    alignas(F32<A>) float lanes[width<A>];
    v.store_aligned(lanes);
    for (std::size_t half = width<A> / 2; half > 0; half /= 2)
        for (std::size_t i = 0; i < half; ++i) lanes[i] += lanes[i + half];
    return lanes[0];
}

/// The largest lane. Meaningless where a lane is NaN.
template <class A>
inline float max_lane(F32<A> v) noexcept {
    alignas(F32<A>) float lanes[width<A>];
    v.store_aligned(lanes);
    for (std::size_t half = width<A> / 2; half > 0; half /= 2)
        for (std::size_t i = 0; i < half; ++i)
            lanes[i] = lanes[i] < lanes[i + half] ? lanes[i + half] : lanes[i];
    return lanes[0];
}

/// min and max that give NaN for a NaN in v.
template <class A>
inline F32<A> at_most(float bound, F32<A> v) noexcept {
    return xsimd::min(F32<A>(bound), v);  // x86: the second operand where either is NaN
}
template <class A>
inline F32<A> at_least(float bound, F32<A> v) noexcept {
    return xsimd::max(F32<A>(bound), v);
}

}  // namespace vit::kernels
