// Takes parts of tensors, and computes values for mappings.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/model/tensor.h"

namespace vit::inline internal {

/// Throws Error(model) with the tensor's name and the first value that is not finite.
void check_finite(const TensorView& tensor, std::span<const float> values);
/// The same for a float32 view of a file, aligned or not.
void check_finite_in_place(const TensorView& tensor);

/// A view of rows [begin, begin + count) of the first extent of a float32 tensor, without a name.
TensorView rows(const TensorView& tensor, std::int64_t begin, std::int64_t count);

/// The values of an array of `shape` with its axes in the order `axes`, like numpy's transpose.
std::vector<float> permuted(std::span<const float> values, const Shape& shape,
                            std::span<const std::size_t> axes);

/// Columns [begin, begin + count) of `matrix` [rows, width].
std::vector<float> columns(std::span<const float> matrix, std::int64_t width, std::int64_t begin,
                           std::int64_t count);

/// Every second run of `run` numbers, beginning with run `turn` (0 or 1).
std::vector<float> every_other(std::span<const float> values, std::size_t run, int turn);

/// The initial lambda of a block in timm's DiffAttention: 0.8 - 0.6 exp(-0.3 block).
double initial_lambda(std::int64_t block);

/// exp(q1 · k1) - exp(q2 · k2) + the initial lambda. The exponentials are in float32, as in timm.
float diff_lambda(std::span<const float> q1, std::span<const float> k1, std::span<const float> q2,
                  std::span<const float> k2, std::int64_t block);

}  // namespace vit::inline internal
