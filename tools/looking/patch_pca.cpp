#include "tools/looking/patch_pca.h"

#include <fmt/format.h>

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <cstddef>

#include "vit/error.h"

namespace vit::looking {

namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Index = Eigen::Index;

/// An eigenvector may have either sign. This chooses one of them.
void fix_sign(std::vector<double>& direction) {
    const auto largest = std::ranges::max_element(
        direction, [](double a, double b) { return std::abs(a) < std::abs(b); });
    if (*largest < 0)
        for (double& x : direction) x = -x;
}

}  // namespace

std::array<double, 3> PcaBasis::project(std::span<const float> token) const {
    std::array<double, 3> result{};
    for (std::size_t c = 0; c < 3; ++c)
        for (std::size_t i = 0; i < mean.size(); ++i)
            result[c] += (token[i] - mean[i]) * directions[c][i];
    return result;
}

TokenStatistics::TokenStatistics(std::int64_t width)
    : width_(static_cast<std::size_t>(width)), sum_(width_), products_(width_ * width_) {}

void TokenStatistics::add(std::span<const float> tokens) {
    if (origin_.empty() && !tokens.empty())
        origin_.assign(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(width_));
    const auto width = static_cast<Index>(width_),
               rows = static_cast<Index>(tokens.size() / width_);
    using Row = Eigen::Map<const Eigen::RowVectorXd>;
    const Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>
        given(tokens.data(), rows, width);
    const Matrix differences = given.cast<double>().rowwise() - Row(origin_.data(), width);
    Eigen::Map<Eigen::RowVectorXd>(sum_.data(), width) += differences.colwise().sum();
    Eigen::Map<Matrix>(products_.data(), width, width)
        .selfadjointView<Eigen::Upper>()
        .rankUpdate(differences.transpose());
    count_ += rows;
}

PcaBasis TokenStatistics::basis() const {
    if (count_ < 2)
        throw Error(
            ErrorKind::input,
            fmt::format("principal components: expected at least 2 patches, found {}", count_));
    const auto width = static_cast<Index>(width_);
    const auto n = static_cast<double>(count_);
    const Eigen::Map<const Eigen::RowVectorXd> sum(sum_.data(), width);
    Matrix covariance =
        Eigen::Map<const Matrix>(products_.data(), width, width).selfadjointView<Eigen::Upper>();
    covariance = (covariance - sum.transpose() * sum / n) / (n - 1);
    const Eigen::SelfAdjointEigenSolver<Matrix> solver(covariance);

    PcaBasis basis;
    for (std::size_t i = 0; i < width_; ++i) basis.mean.push_back(origin_[i] + sum_[i] / n);
    for (std::size_t c = 0; c < 3; ++c) {
        basis.directions[c].assign(width_, 0.0);
        if (c >= width_) continue;
        const Index at = width - 1 - static_cast<Index>(c);  // eigenvalues ascend
        for (std::size_t i = 0; i < width_; ++i)
            basis.directions[c][i] = solver.eigenvectors()(static_cast<Index>(i), at);
        fix_sign(basis.directions[c]);
        basis.deviations[c] = std::sqrt(std::max(0.0, solver.eigenvalues()(at)));
    }
    return basis;
}

Image colours_of(const PcaBasis& basis, std::span<const float> tokens, std::int64_t rows,
                 std::int64_t columns) {
    constexpr double ends = 2;  // standard deviations
    const std::size_t width = basis.mean.size();
    Image image{rows, columns, {}};
    for (std::size_t i = 0; i < tokens.size(); i += width) {
        const std::array<double, 3> at = basis.project(tokens.subspan(i, width));
        for (std::size_t c = 0; c < 3; ++c) {
            const double deviation = basis.deviations[c];
            const double share = deviation > 0 ? 0.5 + at[c] / (2 * ends * deviation) : 0.5;
            image.rgb.push_back(
                static_cast<std::uint8_t>(std::lround(255 * std::clamp(share, 0.0, 1.0))));
        }
    }
    return image;
}

}  // namespace vit::looking
