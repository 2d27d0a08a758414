#include "tools/vit-infer/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <vector>

#include "tools/common/error_line.h"
#include "vit/reports.h"

namespace vit::infer {

namespace {

std::string mean_and_worst(const std::vector<double>& cosines) {
    const double sum = std::accumulate(cosines.begin(), cosines.end(), 0.0);
    return fmt::format("mean {:.5f}, worst {:.5f}", sum / static_cast<double>(cosines.size()),
                       *std::ranges::min_element(cosines));
}

std::string describe(const QuantizationReplay& replay) {
    return fmt::format("{} image{} of the file {}: cosine to float {}; when converted {}",
                       replay.cosines.size(), replay.cosines.size() == 1 ? "" : "s",
                       replay.passed ? "replayed" : "failed", mean_and_worst(replay.cosines),
                       mean_and_worst(replay.recorded));
}

}  // namespace

Verdict verify_report(const Model& model) {
    const SelfTestResult result = self_test(model);
    if (result.packed_fits == false)
        return {false,
                "the packed weights were not made of the tensors in this file, which has been "
                "changed since; convert again with --pack"};
    if (!result.present)
        return {false, "the model file carries no self-test; convert again without --no-self-test"};
    const std::optional<QuantizationReplay> replay = replay_quantization(model);
    return {result.passed && (!replay || replay->passed),
            fmt::format("self-test {}: logits differ by {:.2e} (relative L2), {:.0e} allowed; "
                        "expected logits by {}{}{}",
                        result.passed ? "passed" : "failed", result.relative_l2, result.tolerance,
                        tools::escape_control(result.made_by),
                        result.packed_fits ? "; packed weights fit the file's tensors" : "",
                        replay ? "; " + describe(*replay) : "")};
}

}  // namespace vit::infer
