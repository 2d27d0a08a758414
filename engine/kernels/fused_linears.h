// What the kernels of fused linears share: one type per activation, and the table of functions.
#pragma once

#include "engine/kernels/activations.h"
#include "engine/kernels/gelu.h"
#include "engine/kernels/kernels.h"

namespace vit::inline internal::kernels {

// apply<A, T>: computes a result that is exact enough for T.
struct NoActivation {
    template <class A, class T>
    static F32<A> apply(F32<A> x) noexcept {
        return x;
    }
};
struct Gelu {
    template <class A, class T>
    static F32<A> apply(F32<A> x) noexcept {
        if constexpr (sizeof(T) == sizeof(float))
            return gelu<A>(x);
        else
            return coarse_gelu<A>(x);
    }
};
struct GeluTanh {
    template <class A, class T>
    static F32<A> apply(F32<A> x) noexcept {
        return gelu_tanh<A>(x);
    }
};
struct QuickGelu {
    template <class A, class T>
    static F32<A> apply(F32<A> x) noexcept {
        return scaled_silu<A>(x, 1.702F);
    }
};
struct Silu {
    template <class A, class T>
    static F32<A> apply(F32<A> x) noexcept {
        return scaled_silu<A>(x, 1.0F);
    }
};
struct Relu {
    template <class A, class T>
    static F32<A> apply(F32<A> x) noexcept {
        return at_least<A>(0.0F, x);
    }
};
struct Tanh {
    template <class A, class T>
    static F32<A> apply(F32<A> x) noexcept {
        return tanh_of<A>(x);
    }
};

/// The table of functions of one kind of kernels.
template <class Kernels, class T>
constexpr FusedLinears<T> fused_linears() noexcept {
    return {.none = Kernels::template run<NoActivation>,
            .gelu = Kernels::template run<Gelu>,
            .gelu_tanh = Kernels::template run<GeluTanh>,
            .quick_gelu = Kernels::template run<QuickGelu>,
            .silu = Kernels::template run<Silu>,
            .relu = Kernels::template run<Relu>,
            .tanh = Kernels::template run<Tanh>,
            .panel_columns = Kernels::panel_columns,
            .workspace = Kernels::workspace,
            .pack = Kernels::pack,
            .registers = false};
}

}  // namespace vit::inline internal::kernels
