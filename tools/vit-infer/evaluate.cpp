#include "tools/vit-infer/evaluate.h"

#include <chrono>

#include "engine/base/text.h"
#include "tools/evaluation/evaluation.h"
#include "tools/vit-infer/sink.h"
#include "vit/error.h"

namespace vit::infer {

Totals evaluate(const Options& options, const Model& model) {
    using Clock = std::chrono::steady_clock;
    const ModelInfo& info = model.info();
    if (!info.classifies)
        throw Error(ErrorKind::model,
                    in_quotes(options.model.native()) +
                        ": --evaluate expects a model with classes, found one without a head");
    tools::Evaluation evaluation(options.evaluation, {info.classes, info.labels, true});
    const tools::GroundTruth& truth = evaluation.truth();

    InputSource source(truth.files);
    std::size_t image = 0;
    const Clock::time_point start = Clock::now();
    const auto count = [&](std::span<const float> logits) {
        evaluation.add(image, logits.empty()
                                  ? std::nullopt
                                  : tools::result_of_logits(logits, truth.classes[image]));
        ++image;
    };
    Totals totals = run_inputs(options, model, source, {}, {count, truth.classes});
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    Sink({}).write(evaluation.finish(options.format == Format::json, seconds));
    return totals;
}

}  // namespace vit::infer
