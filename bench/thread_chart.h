// Draws images/s by number of threads as SVG (vit-bench --plot).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vit::bench {

/// One measured run.
struct ThreadPoint {
    std::string series;  ///< "f32, latency"
    int threads = 0;
    double images_per_second = 0;
};

/// Of points of one series and number of threads, the fastest counts. Series keep the order of
/// their first points.
std::string thread_chart(std::string_view title, const std::vector<ThreadPoint>& points);

}  // namespace vit::bench
