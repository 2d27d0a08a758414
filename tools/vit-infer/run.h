// The loop over runs: gather inputs, run them, write records.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/vit-infer/inputs.h"
#include "tools/vit-infer/options.h"
#include "vit/model.h"

namespace vit::infer {

struct Totals {
    std::int64_t inputs = 0;
    std::int64_t failed = 0;
    std::string first_failed;         ///< its name
    std::vector<float> first_pixels;  ///< for --profile: the first good images, preprocessed
    std::int64_t first_count = 0;
};

/// One record per input, in order, handed to the system as soon as it and those before it are
/// known. `first` is what `source` gave already. Throws Error (io, memory, usage), Interrupted,
/// ReaderGone.
Totals run_inputs(const Options& options, const Model& model, InputSource& source,
                  std::optional<Input> first);

/// Images that --profile measures.
int profiled_images(const Options& options, const Model& model);

}  // namespace vit::infer
