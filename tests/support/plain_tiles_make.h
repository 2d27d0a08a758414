// Makes the kernel tables that use plain tiles and the vectors of one architecture.
#pragma once

#include "engine/kernels/make_table.h"
#include "engine/kernels/tile_attention.h"
#include "engine/kernels/tile_linear.h"

namespace vit::test {

template <class A>
constexpr kernels::FusedLinears<kernels::BFloat16> plain_tile_linears() noexcept {
    return kernels::tile_linears<A, kernels::PlainTiles<A>>(false);
}

/// `linears` must come from plain_tile_linears().
template <class A>
constexpr kernels::Bf16Table make_plain_tiles(
    const kernels::FusedLinears<kernels::BFloat16>* linears) noexcept {
    using Attention = kernels::TileAttention<A, kernels::PlainTiles<A>>;
    return kernels::make_bf16_table<A>(kernels::attention_kernels<Attention, kernels::BFloat16>(),
                                       linears);
}

}  // namespace vit::test
