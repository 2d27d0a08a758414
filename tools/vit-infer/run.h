// Repeats until there are no more inputs: collect inputs, run them, write records.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tools/vit-infer/inputs.h"
#include "tools/vit-infer/options.h"
#include "vit/model.h"

namespace vit::infer {

struct Totals {
    std::int64_t inputs = 0;
    std::int64_t failed = 0;
    std::string first_failed;         ///< name of the first input that failed
    std::vector<float> first_pixels;  ///< for --profile: the first good images, preprocessed
    std::int64_t first_count = 0;
    std::vector<Input> inputs_to_look_at;  ///< for LookOptions: all inputs, not decoded
};

/// What an evaluation adds to a run.
struct Judge {
    /// Told about every input, in input order: its logits [classes], or nothing if it failed.
    std::function<void(std::span<const float> logits)> observe;
    std::span<const std::int64_t> truth;  ///< the true class of each input, for the page
};

/// Writes one record per input, in order. Each record is passed to the system as soon as its result
/// and all earlier ones are known. `first` is an input that was already taken from `source`. An
/// evaluation without --output writes no records. Throws Error (io, memory, usage), Interrupted,
/// ReaderGone, and what `judge` throws.
Totals run_inputs(const Options& options, const Model& model, InputSource& source,
                  std::optional<Input> first, const Judge& judge = {});

/// The transform of a run: the model's, with what the options change.
Transform transform_for(const Options& options, const ModelInfo& info);

/// The number of images that --profile measures.
int profiled_images(const Options& options, const Model& model);

}  // namespace vit::infer
