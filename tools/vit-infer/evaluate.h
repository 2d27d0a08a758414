// --evaluate: runs a model on images whose classes are known, and prints how well it does.
#pragma once

#include "tools/vit-infer/run.h"

namespace vit::infer {

/// Runs the images of --evaluate, writes records if --output is given, and prints the summary on
/// standard output. Throws Error (model, input, io, memory, usage), Interrupted, ReaderGone.
Totals evaluate(const Options& options, const Model& model);

}  // namespace vit::infer
