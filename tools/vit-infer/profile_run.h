// Measures what --profile reports.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "vit/model.h"
#include "vit/reports.h"

namespace vit::infer {

/// The mean of several runs. Times are thread times (vit::Profile).
struct MeasuredProfile {
    Profile profile;
    std::int64_t images = 0;
    int threads = 0;
    int runs = 0;
    double peak = 0;           ///< GFLOP/s of all threads, measured before and after
    std::string instruction;   ///< whose peak it is
    double nominal_gflop = 0;  ///< the whole graph's work, with nothing left out

    NodeProfile all_nodes() const;  ///< their sum
    /// ms of thread time: threads × wall.
    double whole() const { return threads * profile.wall_milliseconds; }
};

/// `images` have the layout of Model::run. Also measures this machine's peak speed.
MeasuredProfile measure_profile(const Model& model, std::span<const float> images,
                                std::int64_t count);

/// Adds time, work and bytes.
void add(NodeProfile& sum, const NodeProfile& node);

/// Work per second, for milliseconds; 0 if the measured time is 0.
double rate(double work, double milliseconds);

}  // namespace vit::infer
