// Draws what happens inside a model: --attention, --attention-npy, --pca and --occlusion.
#pragma once

#include <vector>

#include "tools/vit-infer/inputs.h"
#include "tools/vit-infer/options.h"
#include "vit/model.h"

namespace vit::infer {

/// Checks before anything runs that this model can be looked at in this way. Throws Error(usage),
/// Error(unsupported).
void check_look(const LookOptions& options, const Model& model);

/// Decodes the inputs again, one after another, and writes their pictures. Inputs with an error get
/// no picture, and NaN in the .npy file. Throws Error (io, input, usage, memory), Interrupted.
void look(const Options& options, const Model& model, std::vector<Input> inputs);

}  // namespace vit::infer
