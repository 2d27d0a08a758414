// How a model file can be checked where it runs: an input and the logits that belong to it.
#pragma once

#include <filesystem>
#include <functional>

#include "weights/mappings/convert.h"

namespace vit::tools {

/// Adds the self-test that the reference evaluator makes: a seeded input and float64 logits.
/// Takes seconds for ViT-B/16; `progress` is told the share that is done.
void make_self_test(Converted& model, const std::function<void(double)>& progress);

/// Adds the one of an .npz file with arrays `input` [N, channels, H, W] and `logits` [N, classes].
/// Throws Error(io), Error(format), Error(model) naming the file and what does not fit.
void expect_self_test(Converted& model, const std::filesystem::path& npz);

}  // namespace vit::tools
