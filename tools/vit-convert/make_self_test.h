// Adds a self-test to a model file: an input and the expected logits. It checks the model where it
// runs.
#pragma once

#include <filesystem>
#include <functional>

#include "weights/mappings/convert.h"

namespace vit::tools {

/// Adds a self-test that the reference evaluator computes: a seeded random input and float64
/// logits. Takes seconds for ViT-B/16. Calls `progress` with the finished share.
void make_self_test(Converted& model, const std::function<void(double)>& progress);

/// Adds a self-test from an .npz file with arrays `input` [N, channels, H, W] and `logits` [N,
/// classes].
/// Throws Error(io), Error(format) or Error(model) that names the file and what is wrong.
void expect_self_test(Converted& model, const std::filesystem::path& npz);

}  // namespace vit::tools
