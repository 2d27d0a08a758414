// GELU with erf, the activation of a transformer's MLP.
#pragma once

#include "engine/kernels/lanes.h"

namespace vit::inline internal::kernels {

/// x · Φ(x) = max(x, 0) − |x| · Q(|x|), where Q(t) = 1 − Φ(t) is the upper tail of the normal
/// distribution. Q^(1/8) is close to the exponential of a parabola, so a polynomial of degree 8 and
/// three squarings are enough (minimax on [0, 6], weighted by its effect on the result; error 4e-9
/// before rounding). For large x the small term vanishes and the result is exactly x. For large
/// negative x, −infinity included, it is at most 6.5e-9 in magnitude. Measured absolute error at
/// most 2.5e-7 on [-9, 9] (half a unit in the last place of results above 4) and 1.7e-7 on [-4, 4];
/// relative error 6.0e-7 for x > 0.
template <class A>
inline F32<A> gelu(F32<A> x) noexcept {
    using V = F32<A>;
    const V t = at_most<A>(6.0F, xsimd::abs(x));
    V p(-2.92161531e-07F);
    p = fmadd<A>(p, t, V(7.42261773e-06F));
    p = fmadd<A>(p, t, V(-5.99029008e-05F));
    p = fmadd<A>(p, t, V(3.31316915e-05F));
    p = fmadd<A>(p, t, V(0.00150652893F));
    p = fmadd<A>(p, t, V(-0.000674257637F));
    p = fmadd<A>(p, t, V(-0.0319267511F));
    p = fmadd<A>(p, t, V(-0.0914577767F));
    p = fmadd<A>(p, t, V(0.917004049F));
    p *= p;
    p *= p;
    p *= p;
    return fnmadd<A>(t, p, at_least<A>(0.0F, x));
}

/// The same for results that are rounded to bfloat16 (unit roundoff 3.9e-3): degree 5 on [0, 5].
/// Error at most 1.2e-5, and 1.1e-4 relative to results above 0.01 in magnitude.
template <class A>
inline F32<A> coarse_gelu(F32<A> x) noexcept {
    using V = F32<A>;
    const V t = at_most<A>(5.0F, xsimd::abs(x));
    V p(-0.0001815742F);
    p = fmadd<A>(p, t, V(0.0018587138F));
    p = fmadd<A>(p, t, V(-0.000863372697F));
    p = fmadd<A>(p, t, V(-0.0320268832F));
    p = fmadd<A>(p, t, V(-0.0913535431F));
    p = fmadd<A>(p, t, V(0.916992486F));
    p *= p;
    p *= p;
    p *= p;
    return fnmadd<A>(t, p, at_least<A>(0.0F, x));
}

template <class A, class T>
void gelu_in_place(T* x, std::size_t count) {
    apply<A>(x, count, [](F32<A> v) {
        if constexpr (sizeof(T) == sizeof(float))
            return gelu<A>(v);
        else
            return coarse_gelu<A>(v);
    });
}

}  // namespace vit::inline internal::kernels
