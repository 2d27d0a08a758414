// What --profile prints.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "vit/model.h"

namespace vit::infer {

/// Tables of nodes, of kinds of nodes, and how far their times account for the run. `images` as
/// Model::run takes them; measures this machine's peak.
std::string profile_report(const Model& model, std::span<const float> images, std::int64_t count);

}  // namespace vit::infer
