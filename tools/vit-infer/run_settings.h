// What the options say about a run of a model.
#pragma once

#include <cstddef>

#include "tools/vit-infer/options.h"
#include "vit/model.h"

namespace vit::infer {

/// The transform of a run: the model's, with what the options change.
Transform transform_for(const Options& options, const ModelInfo& info);

/// The number of images in one run. Threads wait for each other at the end of each run, so a run
/// has many images. Its results stay in memory until it ends. Results of --tokens are large, so
/// those runs are shorter.
std::size_t run_size(const Options& options, const Model& model);

/// The number of images that --profile measures.
int profiled_images(const Options& options, const Model& model);

}  // namespace vit::infer
