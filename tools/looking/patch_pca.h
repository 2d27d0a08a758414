// Principal components of patch tokens as colours, as the authors of DINOv2 show them.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "vit/image.h"

namespace vit::looking {

/// The mean of the tokens, and the directions in which they differ most.
struct PcaBasis {
    std::vector<double> mean;  ///< [width]
    /// [3][width], length 1, the direction of the largest variance first. The element of the
    /// largest magnitude is positive. Zero where the tokens have fewer directions.
    std::array<std::vector<double>, 3> directions;
    std::array<double, 3> deviations{};  ///< standard deviation along each direction

    /// The coordinates of one token [width].
    std::array<double, 3> project(std::span<const float> token) const;
};

/// Collects the tokens of any number of images in width² numbers. Not thread-safe.
class TokenStatistics {
  public:
    explicit TokenStatistics(std::int64_t width);

    /// Adds tokens [count, width].
    void add(std::span<const float> tokens);
    std::int64_t count() const { return count_; }
    /// The basis of everything that was added. Throws Error(input) where that is fewer than two
    /// tokens.
    PcaBasis basis() const;

  private:
    std::size_t width_;
    std::int64_t count_ = 0;
    std::vector<double> origin_;    ///< the first token; sums of differences to it are exact enough
    std::vector<double> sum_;       ///< [width], of differences
    std::vector<double> products_;  ///< [width, width], upper triangle
};

/// One pixel for each token [rows * columns, width]. The three coordinates become red, green and
/// blue: the mean is the middle, and two standard deviations are the ends.
Image colours_of(const PcaBasis& basis, std::span<const float> tokens, std::int64_t rows,
                 std::int64_t columns);

}  // namespace vit::looking
