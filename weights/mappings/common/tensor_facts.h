// What tensors tell by their shapes, for sources whose checkpoints name no configuration.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "engine/model/model_config.h"
#include "engine/model/tensor.h"

namespace vit::inline internal {

/// The first tensor whose name fits the pattern (see MappingRule), or nullptr.
const TensorView* find_tensor(std::span<const TensorView> tensors, std::string_view pattern);

/// Shape of that tensor. Throws Error(model) where it is missing or has another rank.
const Shape& shape_of(std::span<const TensorView> tensors, std::string_view pattern,
                      std::size_t rank);

/// Extent `axis` of the matrix `name`, or 0 where no tensor fits `any`. Throws Error(model) where
/// only others than `name` do, or the extent is 0.
std::int64_t optional_extent(std::span<const TensorView> tensors, std::string_view any,
                             std::string_view name, std::size_t axis);

/// How many tensors' names fit the pattern.
std::int64_t count_tensors(std::span<const TensorView> tensors, std::string_view pattern);

/// The image size that a position table of `patches` rows is for: `asked` where that has as many
/// patches, else the square that has. Throws Error(usage) where there is none.
ImageSize table_image_size(std::int64_t patches, const ModelConfig& config,
                           std::optional<ImageSize> asked);

}  // namespace vit::inline internal
