// Shows the progress of a run and its summary on standard error, and only on a terminal.
#pragma once

#include <cstdint>
#include <optional>

#include "tools/common/status_line.h"

namespace vit::infer {

class Progress {
  public:
    /// `total`: the number of inputs, where it is known.
    explicit Progress(std::optional<std::int64_t> total) : line_(true), total_(total) {}

    /// An earlier run has done the first `inputs`.
    void skip(std::int64_t inputs) { skipped_ = inputs; }
    /// Removes the line before records are shown on the same terminal.
    void clear() { line_.clear(); }
    /// `done`: inputs so far, those of the earlier run included.
    /// `part`: how much of the next one is done, from 0 to 1.
    void show(std::int64_t done, double part = 0);

    /// The last line: inputs, failures, speed, and the share of the threads' time that decoding and
    /// preprocessing took.
    void summarise(std::int64_t done, std::int64_t failed, double decoding_seconds, int threads);

  private:
    tools::StatusLine line_;
    std::optional<std::int64_t> total_;
    std::int64_t skipped_ = 0;
};

}  // namespace vit::infer
