// Small models with random weights, in memory.
#pragma once

#include <cstdint>

#include "engine/graph/build_vit.h"
#include "engine/model/model_file.h"
#include "tests/support/models.h"
#include "weights/quantization/model_weights.h"
#include "weights/quantization/observe.h"

namespace vit::inline internal {

struct Loaded {
    test::TemporaryModel path;
    ModelFile file;
    Graph graph;
    ModelWeights weights;

    explicit Loaded(const ModelConfig& config)
        : path(config, 1),
          file(ModelFile::open(path.path())),
          graph(build_vit(config, config.image_size)),
          weights(file.tensors()) {}
};

inline Images random_images(const ModelConfig& config, std::size_t count, std::uint64_t seed) {
    Images images;
    for (std::size_t i = 0; i < count; ++i)
        images.push_back(test::random_images(config, 1, seed + i));
    return images;
}

}  // namespace vit::inline internal
