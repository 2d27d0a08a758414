// A model file with made-up weights, for tests and benchmarks.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

#include "engine/model/model_file.h"

namespace vit::inline internal {

/// Returns the values of a tensor with a canonical name (docs/model-file.md), row-major. With u =
/// fill_random(name, seed), each is offset + scale * u, computed exactly and rounded once to
/// float32 (scale is a float32 number itself):
/// - weights of norm1, norm2, norm and fc_norm: 1 + 0.1 u;
/// - ls1, ls2: 0.5 + 0.25 u;
/// - biases: 0.05 u;
/// - cls_token, dist_token, reg_token, pos_embed: 0.2 u;
/// - every other weight: scale u, with scale = float32(sqrt(3 / fan_in) * 0.8) and fan_in = the
///   product of shape[1:], so that activations keep about their size.
void fill_random_weights(std::string_view name, const Shape& shape, std::uint64_t seed,
                         std::span<float> out);

/// Writes a model file with every tensor that `header.config` needs, with the values above. Keeps
/// only one tensor in memory at a time. `header.self_test` must be empty. Throws Error(io),
/// Error(model).
void write_random_model(const std::filesystem::path& path, const ModelHeader& header,
                        std::uint64_t seed);

}  // namespace vit::inline internal
