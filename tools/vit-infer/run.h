// Repeats until there are no more inputs: collect inputs, run them, write records.
#pragma once

#include <optional>

#include "tools/vit-infer/inputs.h"
#include "tools/vit-infer/options.h"
#include "tools/vit-infer/runner.h"
#include "vit/model.h"

namespace vit::infer {

/// Writes one record per input, in order. Each record is passed to the system as soon as its result
/// and all earlier ones are known. `first` is an input that was already taken from `source`. An
/// evaluation without --output writes no records. Throws Error (io, memory, usage), Interrupted,
/// ReaderGone, and what `judge` throws.
Totals run_inputs(const Options& options, const Model& model, InputSource& source,
                  std::optional<Input> first, const Judge& judge = {});

}  // namespace vit::infer
