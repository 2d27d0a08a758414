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

}  // namespace vit::inline internal
