// The table of one architecture.
#pragma once

#include "engine/kernels/activations.h"
#include "engine/kernels/attention.h"
#include "engine/kernels/gelu.h"
#include "engine/kernels/kernels.h"
#include "engine/kernels/layer_norm.h"
#include "engine/kernels/rows.h"
#include "engine/kernels/softmax.h"

namespace vit::kernels {

template <class A>
constexpr Table make_table(Isa isa) noexcept {
    return {.isa = isa,
            .layer_norm = layer_norm<A>,
            .softmax = softmax<A>,
            .gelu = gelu_in_place<A>,
            .gelu_tanh = gelu_tanh_in_place<A>,
            .quick_gelu = quick_gelu_in_place<A>,
            .silu = silu_in_place<A>,
            .relu = relu_in_place<A>,
            .tanh = tanh_in_place<A>,
            .add = add<A>,
            .mean_rows = mean_rows<A>,
            .attention_panel = Attention<A>::panel,
            .attention_rows = Attention<A>::tile_rows,
            .pack_keys = Attention<A>::pack_keys,
            .pack_values = Attention<A>::pack_values,
            .attend = Attention<A>::attend};
}

}  // namespace vit::kernels
