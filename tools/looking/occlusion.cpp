#include "tools/looking/occlusion.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <vector>

#include "engine/base/cosine.h"

namespace vit::looking {

namespace {

/// The first patches of the square along one side of the grid. The last place touches the border.
std::vector<std::int64_t> starts(std::int64_t patches, const OcclusionSquare& square) {
    const std::int64_t last = std::max<std::int64_t>(patches - square.side, 0);
    std::vector<std::int64_t> result;
    for (std::int64_t at = 0; at < last; at += square.step) result.push_back(at);
    result.push_back(last);
    return result;
}

/// A place of the square, in patches.
struct Place {
    std::int64_t row, column, end_row, end_column;
};

std::vector<Place> all_places(const ModelInfo& info, const OcclusionSquare& square) {
    std::vector<Place> result;
    for (const std::int64_t row : starts(info.grid_rows, square))
        for (const std::int64_t column : starts(info.grid_columns, square))
            result.push_back({row, column, std::min(row + square.side, info.grid_rows),
                              std::min(column + square.side, info.grid_columns)});
    return result;
}

/// Writes zeros, the normalised mean colour, to the pixels of the place.
void cover(const ModelInfo& info, const Place& place, std::span<float> image) {
    const auto width = (place.end_column - place.column) * info.patch_width;
    for (std::int64_t c = 0; c < info.channels; ++c)
        for (std::int64_t y = place.row * info.patch_height; y < place.end_row * info.patch_height;
             ++y) {
            const std::int64_t first =
                (c * info.height + y) * info.width + place.column * info.patch_width;
            std::ranges::fill(
                image.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(width)),
                0.0f);
        }
}

double probability(std::span<const float> logits, std::size_t index) {
    const double largest = *std::ranges::max_element(logits);
    const double sum = std::accumulate(
        logits.begin(), logits.end(), 0.0,
        [&](double total, float x) { return total + std::exp(static_cast<double>(x) - largest); });
    return std::exp(static_cast<double>(logits[index]) - largest) / sum;
}

/// What a result lost against that of the whole image. Both are logits, or features where the model
/// has no classes.
double cost(const ModelInfo& info, std::span<const float> whole, std::span<const float> covered) {
    if (!info.classifies) return 1 - cosine(whole, covered);
    const auto top = static_cast<std::size_t>(std::ranges::max_element(whole) - whole.begin());
    return probability(whole, top) - probability(covered, top);
}

}  // namespace

OcclusionSquare square_of(const ModelInfo& info, std::int64_t side) {
    side = std::clamp<std::int64_t>(side, 1, std::max(info.grid_rows, info.grid_columns));
    return {side, std::max<std::int64_t>(1, side / 3)};
}

OcclusionSquare usual_square(const ModelInfo& info) {
    return square_of(info, (std::max(info.grid_rows, info.grid_columns) + 2) / 5);
}

std::int64_t places(const ModelInfo& info, const OcclusionSquare& square) {
    return static_cast<std::int64_t>(all_places(info, square).size());
}

pictures::Grid occlusion(const Model& model, std::span<const float> image,
                         const OcclusionSquare& square, const std::function<void()>& before_each) {
    const ModelInfo& info = model.info();
    const auto width = static_cast<std::size_t>(info.classes);
    std::vector<float> whole(width);
    model.run(image, 1, {whole, {}, {}});

    const std::vector<Place> squares = all_places(info, square);
    std::vector<float> results(squares.size() * width);
    model.run_each(static_cast<std::int64_t>(squares.size()), {results, {}, {}},
                   [&](std::int64_t index, std::span<float> to) {
                       before_each();
                       std::ranges::copy(image, to.begin());
                       cover(info, squares[static_cast<std::size_t>(index)], to);
                       return true;
                   });

    pictures::Grid grid{info.grid_rows, info.grid_columns, {}};
    const auto patches = static_cast<std::size_t>(info.grid_rows * info.grid_columns);
    std::vector<double> sum(patches);
    std::vector<int> count(patches);
    for (std::size_t i = 0; i < squares.size(); ++i) {
        const double lost = cost(info, whole, std::span(results).subspan(i * width, width));
        for (std::int64_t row = squares[i].row; row < squares[i].end_row; ++row)
            for (std::int64_t column = squares[i].column; column < squares[i].end_column;
                 ++column) {
                const auto patch = static_cast<std::size_t>(row * info.grid_columns + column);
                sum[patch] += lost;
                ++count[patch];
            }
    }
    for (std::size_t i = 0; i < patches; ++i)
        grid.values.push_back(static_cast<float>(sum[i] / count[i]));
    return grid;
}

}  // namespace vit::looking
