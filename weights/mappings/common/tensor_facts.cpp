#include "weights/mappings/common/tensor_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "engine/base/text.h"
#include "vit/error.h"
#include "weights/mappings/common/patterns.h"

namespace vit::inline internal {

const TensorView* find_tensor(std::span<const TensorView> tensors, std::string_view pattern) {
    std::vector<std::string> numbers;
    const auto found = std::find_if(tensors.begin(), tensors.end(), [&](const TensorView& t) {
        return fits(pattern, t.name, numbers);
    });
    return found == tensors.end() ? nullptr : &*found;
}

const Shape& shape_of(std::span<const TensorView> tensors, std::string_view pattern,
                      std::size_t rank) {
    const TensorView* tensor = find_tensor(tensors, pattern);
    if (!tensor)
        throw Error(ErrorKind::model,
                    fmt::format("tensor {} is missing", in_quotes(filled(pattern, {}))));
    if (tensor->shape.size() != rank)
        throw Error(ErrorKind::model,
                    fmt::format("tensor {}: expected {} extents, found shape {}",
                                in_quotes(tensor->name), rank, to_string(tensor->shape)));
    return tensor->shape;
}

std::int64_t optional_extent(std::span<const TensorView> tensors, std::string_view any,
                             std::string_view name, std::size_t axis) {
    if (!find_tensor(tensors, any)) return 0;
    const Shape& shape = shape_of(tensors, name, 2);
    if (shape[axis] < 1)
        throw Error(ErrorKind::model, fmt::format("tensor {}: expected no extent of 0, found {}",
                                                  in_quotes(filled(name, {})), to_string(shape)));
    return shape[axis];
}

std::int64_t count_tensors(std::span<const TensorView> tensors, std::string_view pattern) {
    std::vector<std::string> numbers;
    return std::count_if(tensors.begin(), tensors.end(),
                         [&](const TensorView& t) { return fits(pattern, t.name, numbers); });
}

ImageSize table_image_size(std::int64_t patches, const ModelConfig& config,
                           std::optional<ImageSize> asked) {
    if (asked && config.patch_height > 0 && config.patch_width > 0 &&
        (asked->height / config.patch_height) * (asked->width / config.patch_width) == patches)
        return *asked;
    const auto side = static_cast<std::int64_t>(
        std::llround(std::sqrt(static_cast<double>(std::max<std::int64_t>(patches, 0)))));
    if (side < 1 || side * side != patches)
        throw Error(ErrorKind::usage,
                    fmt::format("the position table has {} patches, which is no square: pass the "
                                "image size that it was made for as --img-size HxW",
                                patches));
    return {side * config.patch_height, side * config.patch_width};
}

}  // namespace vit::inline internal
