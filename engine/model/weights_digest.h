// What ties packed weights to the tensors that they were made of.
#pragma once

#include <string>
#include <vector>

#include "engine/model/tensor.h"

namespace vit::inline internal {

/// samples: small tensors whole, and a few pages of each large one, so that loading stays fast.
enum class DigestOf { samples, everything };

/// Of names, types, shapes and bytes of all tensors but the self-test's, in any order. It finds
/// accidents, not forgeries.
std::string weights_digest(const std::vector<TensorView>& tensors, DigestOf of);

}  // namespace vit::inline internal
