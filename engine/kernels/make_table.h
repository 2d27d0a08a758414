// The table of one architecture.
#pragma once

#include "engine/kernels/activations.h"
#include "engine/kernels/attention.h"
#include "engine/kernels/gelu.h"
#include "engine/kernels/kernels.h"
#include "engine/kernels/layer_norm.h"
#include "engine/kernels/rms_norm.h"
#include "engine/kernels/rows.h"
#include "engine/kernels/softmax.h"

namespace vit::kernels {

template <class A, class T>
constexpr Activations<T> activations() noexcept {
    return {.gelu = gelu_in_place<A, T>,
            .gelu_tanh = gelu_tanh_in_place<A, T>,
            .quick_gelu = quick_gelu_in_place<A, T>,
            .silu = silu_in_place<A, T>,
            .relu = relu_in_place<A, T>,
            .tanh = tanh_in_place<A, T>};
}

template <class A, class T>
constexpr AttentionKernels<T> attention() noexcept {
    return {.panel = Attention<A, T>::panel,
            .tile_rows = Attention<A, T>::tile_rows,
            .packed_keys = Attention<A, T>::packed_keys,
            .packed_values = Attention<A, T>::packed_values,
            .pack_keys = Attention<A, T>::pack_keys,
            .pack_values = Attention<A, T>::pack_values,
            .attend = Attention<A, T>::attend};
}

template <class A>
constexpr Table make_table(Isa isa) noexcept {
    return {.isa = isa,
            .layer_norm = layer_norm<A, float>,
            .rms_norm = rms_norm<A, float>,
            .softmax = softmax<A>,
            .activations = activations<A, float>(),
            .add_scaled = add_scaled<A>,
            .multiply = multiply<A, float>,
            .mean_rows = mean_rows<A>,
            .max_rows = max_rows<A>,
            .attention = attention<A, float>()};
}

}  // namespace vit::kernels
