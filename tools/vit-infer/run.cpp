#include "tools/vit-infer/run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <functional>
#include <utility>
#include <vector>

#include "engine/base/text.h"
#include "tools/common/output_check.h"
#include "tools/vit-infer/interrupt.h"
#include "tools/vit-infer/run_settings.h"
#include "vit/error.h"

namespace vit::infer {

namespace {

/// Adds inputs up to `most`. Waits for the first one only; takes more only if they are there
/// without waiting.
void gather(InputSource& source, std::size_t most, std::vector<Input>& inputs) {
    while (inputs.size() < most && (inputs.empty() || source.ready())) {
        std::optional<Input> input = source.next();
        if (!input) break;
        inputs.push_back(std::move(*input));
    }
}

/// Takes the inputs whose results are there already. Throws Error(usage) where they are others.
void skip_earlier(InputSource& source, std::optional<Input>& first, Runner& runner) {
    const std::vector<EarlierRecord>& earlier = runner.earlier();
    for (std::size_t i = 0; i < earlier.size(); ++i) {
        const std::optional<Input> input = first ? std::exchange(first, {}) : source.next();
        const auto same = [&] {
            return earlier[i].name_hash == 0 ||
                   earlier[i].name_hash == std::hash<std::string>()(input->name);
        };
        if (!input || !same())
            throw Error(ErrorKind::usage,
                        fmt::format("--resume: the inputs are not those of the earlier run: record "
                                    "{} of it is of another input than {}; name the same inputs, "
                                    "or remove the unfinished outputs",
                                    i + 1, input ? in_quotes(input->name) : "none"));
        runner.name_earlier(input->name);
    }
}

Totals run_all(const Options& options, const Model& model, InputSource& source,
               std::optional<Input> first, Runner& runner) {
    skip_earlier(source, first, runner);
    while (true) {
        stop_if_interrupted();
        std::vector<Input> inputs;
        if (first) inputs.push_back(*std::exchange(first, {}));
        gather(source, run_size(options, model), inputs);
        // Outputs appear only at the end, so no input has been replaced yet.
        for (const Input& input : inputs) tools::check_not_output(input.path, options.outputs());
        if (inputs.empty()) break;
        runner.run(std::move(inputs));
    }
    stop_if_interrupted();
    return runner.finish();
}

}  // namespace

Totals run_inputs(const Options& options, const Model& model, InputSource& source,
                  std::optional<Input> first, const Judge& judge) {
    // Only the progress on a terminal needs the total, which takes opening every .npy file.
    std::optional<std::int64_t> total;
    if (::isatty(STDERR_FILENO) == 1) total = source.total();
    if (total && first) ++*total;
    Runner runner(options, model, total, judge);
    try {
        return run_all(options, model, source, std::move(first), runner);
    } catch (Interrupted& interrupted) {
        interrupted.kept = runner.kept();
        throw;
    }
}

}  // namespace vit::infer
