// The text of --profile.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "vit/model.h"

namespace vit::infer {

/// Tables of nodes and of kinds of nodes, and the share of the run that their times explain.
/// `images` have the layout of Model::run. Measures this machine's peak speed.
std::string profile_report(const Model& model, std::span<const float> images, std::int64_t count);

}  // namespace vit::infer
