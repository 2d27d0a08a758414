// Numbers that follow from the shapes of tensors, for checkpoints without a configuration.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "engine/model/model_config.h"
#include "engine/model/tensor.h"

namespace vit::inline internal {

/// Returns the first tensor whose name fits the pattern (see MappingRule), or nullptr.
const TensorView* find_tensor(std::span<const TensorView> tensors, std::string_view pattern);

/// Returns the shape of that tensor. Throws Error(model) where it is missing or has another rank.
const Shape& shape_of(std::span<const TensorView> tensors, std::string_view pattern,
                      std::size_t rank);

/// Returns extent `axis` of the matrix `name`, or 0 where no tensor fits `any`. Throws Error(model)
/// where some tensor fits `any` but `name` is missing, or where the extent is 0.
std::int64_t optional_extent(std::span<const TensorView> tensors, std::string_view any,
                             std::string_view name, std::size_t axis);

/// Returns the number of tensors whose names fit the pattern.
std::int64_t count_tensors(std::span<const TensorView> tensors, std::string_view pattern);

/// Returns the image size of a position table with `patches` rows: `asked` if it has so many
/// patches, or otherwise the square image that has. Throws Error(usage) where there is none.
ImageSize table_image_size(std::int64_t patches, const ModelConfig& config,
                           std::optional<ImageSize> asked);

}  // namespace vit::inline internal
