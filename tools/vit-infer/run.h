// The loop over batches: prepare, run, write records.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/vit-infer/images.h"
#include "tools/vit-infer/inputs.h"
#include "tools/vit-infer/options.h"
#include "vit/model.h"

namespace vit::infer {

struct Totals {
    std::int64_t inputs = 0;
    std::int64_t failed = 0;
    std::string first_failed;         ///< its name
    std::vector<float> first_pixels;  ///< of the first batch that had a good image, for --profile
    std::int64_t first_count = 0;
};

/// One record per input, in order, handed to the system after every batch. `first` is what
/// `source` gave already. Throws Error (io, memory, usage), Interrupted, ReaderGone.
Totals run_inputs(const Options& options, const Model& model, InputSource& source,
                  std::optional<Decoded> first);

/// Images in one run where the command line does not say.
int batch_size(const Options& options, const Model& model);

}  // namespace vit::infer
