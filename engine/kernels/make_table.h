// The tables of one architecture.
#pragma once

#include "engine/kernels/activations.h"
#include "engine/kernels/attention.h"
#include "engine/kernels/dot_products.h"
#include "engine/kernels/gelu.h"
#include "engine/kernels/kernels.h"
#include "engine/kernels/layer_norm.h"
#include "engine/kernels/rms_norm.h"
#include "engine/kernels/rows.h"
#include "engine/kernels/softmax.h"

namespace vit::inline internal::kernels {

template <class A, class T>
constexpr Activations<T> activations() noexcept {
    return {.gelu = gelu_in_place<A, T>,
            .gelu_tanh = gelu_tanh_in_place<A, T>,
            .quick_gelu = quick_gelu_in_place<A, T>,
            .silu = silu_in_place<A, T>,
            .relu = relu_in_place<A, T>,
            .tanh = tanh_in_place<A, T>};
}

template <class Kernels, class T>
constexpr AttentionKernels<T> attention_kernels() noexcept {
    return {.packed_keys = Kernels::packed_keys,
            .packed_values = Kernels::packed_values,
            .pack_keys = Kernels::pack_keys,
            .pack_values = Kernels::pack_values,
            .workspace = Kernels::workspace,
            .attend = Kernels::attend};
}

template <class A, class T>
constexpr AttentionKernels<T> attention() noexcept {
    return attention_kernels<Attention<A, T>, T>();
}

template <class A>
constexpr Table make_table(Isa isa, const FusedLinears<float>* linears = nullptr) noexcept {
    return {.isa = isa,
            .layer_norm = layer_norm<A, float>,
            .rms_norm = rms_norm<A, float>,
            .softmax = softmax<A>,
            .activations = activations<A, float>(),
            .add_scaled = add_scaled<A>,
            .multiply = multiply<A, float>,
            .mean_rows = mean_rows<A>,
            .max_rows = max_rows<A>,
            .dot_products = dot_products<A>,
            .attention = attention<A, float>(),
            .linears = linears};
}

template <class A>
constexpr Bf16Table make_bf16_table(const AttentionKernels<BFloat16>& attention,
                                    const FusedLinears<BFloat16>* linears) noexcept {
    return {.layer_norm = layer_norm<A, BFloat16>,
            .rms_norm = rms_norm<A, BFloat16>,
            .multiply = multiply<A, BFloat16>,
            .activations = activations<A, BFloat16>(),
            .attention = attention,
            .round = round_bf16<A>,
            .linears = linears};
}

}  // namespace vit::inline internal::kernels
