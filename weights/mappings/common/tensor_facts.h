// Reads numbers from the shapes of tensors, for sources whose checkpoints have no configuration.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "engine/model/model_config.h"
#include "engine/model/tensor.h"

namespace vit::inline internal {

/// The first tensor whose name fits the pattern (see MappingRule); nullptr where there is none.
const TensorView* find_tensor(std::span<const TensorView> tensors, std::string_view pattern);

/// The shape of that tensor. Throws Error(model) where it is missing or has another rank.
const Shape& shape_of(std::span<const TensorView> tensors, std::string_view pattern,
                      std::size_t rank);

/// Extent `axis` of the matrix `name`; 0 where no tensor fits `any`. Throws Error(model) where
/// `name` is then missing or not a matrix, or where the extent is 0.
std::int64_t optional_extent(std::span<const TensorView> tensors, std::string_view any,
                             std::string_view name, std::size_t axis);

/// The number of tensors whose names fit the pattern.
std::int64_t count_tensors(std::span<const TensorView> tensors, std::string_view pattern);

/// The image size for a position table of `patches` rows: `asked` where it has this number of
/// patches, otherwise a square. Throws Error(usage) where no square has this number.
ImageSize table_image_size(std::int64_t patches, const ModelConfig& config,
                           std::optional<ImageSize> asked);

}  // namespace vit::inline internal
