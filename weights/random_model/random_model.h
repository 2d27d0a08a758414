// Writes model files with random weights, for tests and benchmarks.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

#include "engine/model/model_file.h"

namespace vit::inline internal {

/// Fills `out` with random values for the tensor of a canonical name (docs/model-file.md), in
/// row-major order. With u = fill_random(name, seed), each value is offset + scale * u, computed
/// exactly and rounded once to float32. scale is a float32 number itself:
///   weights of norms: 1 + 0.1 u
///   every bias: 0.05 u
///   ls1, ls2, ls and lambda: 0.5 + 0.25 u
///   cls_token, dist_token, reg_token, pos_embed, attn_pool.latent: 0.2 u
///   every other weight: scale u, with scale = float32(sqrt(3 / fan_in) * 0.8)
/// fan_in is the product of shape[1:]. With this scale, activations keep about the same size.
void fill_random_weights(std::string_view name, const Shape& shape, std::uint64_t seed,
                         std::span<float> out);

/// Writes a model file with every tensor that `header.config` needs, filled by fill_random_weights.
/// Keeps only one tensor in memory at a time. Throws Error(usage) where `header` has a self-test,
/// Error(model) where its config is invalid, Error(io).
void write_random_model(const std::filesystem::path& path, const ModelHeader& header,
                        std::uint64_t seed);

}  // namespace vit::inline internal
