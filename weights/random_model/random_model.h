// A model file with made-up weights, for tests and benchmarks.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

#include "engine/model/model_file.h"

namespace vit::inline internal {

/// Values of the tensor that goes by a canonical name (docs/model-file.md), row-major. With u =
/// fill_random(name, seed), each is offset + scale * u, computed exactly and rounded once to
/// float32 (scale is a float32 number itself):
///   norm1, norm2, norm, fc_norm .weight  1 + 0.1 u        ls1, ls2                         0.5 +
///   0.25 u every .bias                          0.05 u           cls_/dist_/reg_token, pos_embed
///   0.2 u every other weight                   scale u, scale = float32(sqrt(3 / fan_in) * 0.8),
///   fan_in = product of
///                                        shape[1:], so that activations keep about their size
void fill_random_weights(std::string_view name, const Shape& shape, std::uint64_t seed,
                         std::span<float> out);

/// Writes a model file with every tensor that `header.config` asks for, filled as above. Holds one
/// tensor at a time. `header.self_test` must be empty. Throws Error(io), Error(model).
void write_random_model(const std::filesystem::path& path, const ModelHeader& header,
                        std::uint64_t seed);

}  // namespace vit::inline internal
