#include "engine/kernels/tile_state.h"

#include <utility>

#include "engine/kernels/tiles.h"

namespace vit::inline internal::kernels {

namespace {

/// Calls f.operator()<t>() for every tile.
template <class F>
void for_each_tile(F f) {
    [&]<int... t>(std::integer_sequence<int, t...>) {
        (f.template operator()<t>(), ...);
    }
    (std::make_integer_sequence<int, int{tile_count}>());
}

}  // namespace

// The whole configuration is an operand, so that the compiler stores all of it. GCC's intrinsic
// names only its first 8 bytes.

TileScope::TileScope(bool wanted) noexcept : wanted_(wanted) {
    if (!wanted_) return;
#if defined(__x86_64__)
    asm volatile("sttilecfg %0" : "=m"(before_));
    for_each_tile([this]<int t>() {
        if (used_before(t)) AmxTiles<TileScope>().template store<t>(contents_[t], tile_bytes);
    });
    Config config{};
    config.palette = 1;
    for (std::size_t t = 0; t < tile_count; ++t) {
        config.row_bytes[t] = tile_bytes;
        config.rows[t] = tile_rows;
    }
    asm volatile("ldtilecfg %0" ::"m"(config));
#endif
}

TileScope::~TileScope() {
    if (!wanted_) return;
#if defined(__x86_64__)
    if (before_.palette == 0) {
        asm volatile("tilerelease");
        return;
    }
    asm volatile("ldtilecfg %0" ::"m"(before_));
    for_each_tile([this]<int t>() {
        if (used_before(t)) AmxTiles<TileScope>().template load<t>(contents_[t], tile_bytes);
    });
#endif
}

}  // namespace vit::inline internal::kernels
