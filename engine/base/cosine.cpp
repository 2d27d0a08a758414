#include "engine/base/cosine.h"

#include <cmath>
#include <cstddef>

namespace vit::inline internal {

double cosine(std::span<const float> a, std::span<const float> b) noexcept {
    double ab = 0, aa = 0, bb = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        ab += double{a[i]} * b[i];
        aa += double{a[i]} * a[i];
        bb += double{b[i]} * b[i];
    }
    if (aa == 0 || bb == 0) return aa == bb ? 1 : 0;
    return ab / std::sqrt(aa * bb);
}

double inverse_length(std::span<const float> a) noexcept {
    double square = 0;
    for (const float x : a) square += double{x} * x;
    return std::isfinite(square) && square > 0 ? 1 / std::sqrt(square) : 0;
}

}  // namespace vit::inline internal
