// exp for the kernels. It has no branches, and its results are normal numbers or zero.
#pragma once

#include "engine/kernels/xsimd_shim.h"

namespace vit::inline internal::kernels {

/// Below this, exp counts as 0. e^-87.3 is still a normal number.
inline constexpr float exp_lowest = -87.3F;

/// e^x for exp_lowest <= x <= 88; NaN for NaN; undefined for other x. x = n ln 2 + r with |r| <= ln
/// 2 / 2. A minimax polynomial of degree 6 gives e^r (relative error 3.1e-9 before rounding). ln 2
/// is stored in two parts (Cody & Waite, "Software Manual for the Elementary Functions", 1980).
/// Measured relative error at most 1.9e-7.
template <class A>
inline F32<A> exp_in_range(F32<A> x) noexcept {
    using V = F32<A>;
    // Adding 1.5 * 2^23 puts the nearest integer into the low bits of the significand.
    const V shifter(12582912.0F);
    const V shifted = fmadd<A>(x, V(1.44269504F), shifter);
    const V n = shifted - shifter;
    V r = fnmadd<A>(n, V(0.693359375F), x);
    r = fnmadd<A>(n, V(-2.12194440e-4F), r);
    V p(0.00138144672F);
    p = fmadd<A>(p, r, V(0.00836878084F));
    p = fmadd<A>(p, r, V(0.0416683927F));
    p = fmadd<A>(p, r, V(0.166665196F));
    p = fmadd<A>(p, r, V(0.5F));
    p = fmadd<A>(p, r, V(1.0F));
    p = fmadd<A>(p, r, V(1.0F));
    return as_float<A>(as_int<A>(p) + (as_int<A>(shifted) << 23));  // times 2^n
}

/// 2^x for results that are rounded to bfloat16 (unit roundoff 3.9e-3), −126 <= x <= 127; NaN for
/// NaN. A polynomial of degree 3. Relative error at most 7.5e-5.
template <class A>
inline F32<A> coarse_exp2_in_range(F32<A> x) noexcept {
    using V = F32<A>;
    const V shifter(12582912.0F);
    const V shifted = x + shifter;
    const V r = x - (shifted - shifter);
    V p(0.0551716648F);
    p = fmadd<A>(p, r, V(0.242611125F));
    p = fmadd<A>(p, r, V(0.693260968F));
    p = fmadd<A>(p, r, V(0.999928057F));
    return as_float<A>(as_int<A>(p) + (as_int<A>(shifted) << 23));
}

/// 1 / (1 + e^-x) for x >= exp_lowest; NaN for NaN.
template <class A>
inline F32<A> sigmoid(F32<A> x) noexcept {
    const F32<A> e = exp_in_range<A>(at_least<A>(exp_lowest, -x));
    return F32<A>(1.0F) / (F32<A>(1.0F) + e);
}

}  // namespace vit::inline internal::kernels
