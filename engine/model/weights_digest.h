// Checks that packed weights still belong to the tensors that they were packed from.
#pragma once

#include <string>
#include <vector>

#include "engine/model/tensor.h"

namespace vit::inline internal {

/// samples: small tensors completely, and a few pages of each large one, so that loading stays
/// fast.
enum class DigestOf { samples, everything };

/// A digest of names, types, shapes and bytes of all tensors except the self-test's, independent of
/// their order. It detects accidental changes, not deliberate ones.
std::string weights_digest(const std::vector<TensorView>& tensors, DigestOf of);

}  // namespace vit::inline internal
