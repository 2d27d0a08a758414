// How much the result of a model changes when a part of the image is covered.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "tools/pictures/grid.h"
#include "vit/model.h"

namespace vit::looking {

/// Sides in patches.
struct OcclusionSquare {
    std::int64_t side = 0;  ///< of the square that covers a part of the image
    std::int64_t step = 0;  ///< from one place of the square to the next
};

/// A square of a fifth of the longer side of the model's grid, moved by a third of its side.
OcclusionSquare usual_square(const ModelInfo& info);
/// The same for a square of `side` patches, at most as large as the grid.
OcclusionSquare square_of(const ModelInfo& info, std::int64_t side);
/// The number of places of the square, which is the number of images that occlusion() runs.
std::int64_t places(const ModelInfo& info, const OcclusionSquare& square);

/// The occlusion map of Zeiler & Fergus ("Visualizing and Understanding Convolutional Networks",
/// 2014). Runs `image` [channels, height, width], preprocessed, with a grey square (zeros: the mean
/// colour) at each place. The value of a patch is the mean over the squares that cover it of what
/// they cost: by how much the probability of the image's top class falls (below 0 where it rises),
/// or for a model without classes, 1 − the cosine of the features. Calls `before_each` before each
/// place, from several threads at once; if it throws, the exception is rethrown. Throws what
/// Model::run_each throws.
pictures::Grid occlusion(const Model& model, std::span<const float> image,
                         const OcclusionSquare& square, const std::function<void()>& before_each);

}  // namespace vit::looking
