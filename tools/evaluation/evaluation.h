// One evaluation: reads the true classes, counts results, and reports.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "engine/model/atomic_file.h"
#include "tools/evaluation/ground_truth.h"
#include "tools/evaluation/options.h"
#include "tools/evaluation/real_labels.h"
#include "tools/evaluation/report.h"

namespace vit::tools {

/// Not thread-safe.
class Evaluation {
  public:
    /// Reads SOURCE and the real labels, and opens the outputs, so that mistakes show before any
    /// image has run. Throws what these throw, and Error(usage) where there are too many classes
    /// for the table that was asked for.
    Evaluation(EvaluationOptions options, ClassNames classes);

    const GroundTruth& truth() const { return truth_; }
    const ClassNames& classes() const { return report_.classes; }

    /// Counts the result of image `image` of truth(). None: it failed.
    void add(std::size_t image, const std::optional<ImageResult>& result);

    /// Counts an image of truth() that has no record.
    void add_missing() { ++report_.missing; }

    /// Writes the outputs and returns the summary. `seconds`: of the run, if there was one. Throws
    /// Error(io).
    std::string finish(bool json, std::optional<double> seconds = {});

  private:
    EvaluationOptions options_;
    Report report_;
    GroundTruth truth_;
    std::optional<RealLabels> real_;
    std::optional<AtomicFile> confusion_, reliability_;
};

}  // namespace vit::tools
