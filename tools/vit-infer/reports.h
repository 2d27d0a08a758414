// The texts of --info, --verify and --profile.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "vit/model.h"

namespace vit::infer {

std::string info_report(const Model& model);

/// The result of --verify as one line. `passed` is also false if the model file has no self-test.
struct Verdict {
    bool passed = false;
    std::string text;
};
Verdict verify_report(const Model& model);

/// Tables of nodes and of kinds of nodes, and the share of the run that their times explain.
/// `images` have the layout of Model::run. Measures this machine's peak speed.
std::string profile_report(const Model& model, std::span<const float> images, std::int64_t count);

}  // namespace vit::infer
