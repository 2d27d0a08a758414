#include "engine/graph/weights.h"

#include "engine/model/model_tensors.h"
#include "engine/model/position_table.h"
#include "vit/error.h"

namespace vit::inline internal {

WeightMap::WeightMap(const ModelFile& file, ImageSize image_size) {
    for (const TensorView& tensor : file.tensors()) {
        TensorView& view = views_[tensor.name] = tensor;
        const bool aligned =
            reinterpret_cast<std::uintptr_t>(tensor.data.data()) % item_size(tensor.dtype) == 0;
        const bool vector = tensor.shape.size() == 1 && tensor.dtype == DType::f32;
        if (aligned && !vector) continue;
        view.data = copies_.emplace_back(tensor.data.begin(), tensor.data.end());
    }
    resize_position_table(file.header().config, image_size);
}

WeightMap::WeightMap(std::span<const TensorView> tensors) {
    for (const TensorView& tensor : tensors) {
        const bool bytes = item_size(tensor.dtype) == 1,
                   aligned =
                       reinterpret_cast<std::uintptr_t>(tensor.data.data()) % alignof(float) == 0;
        if (bytes || (tensor.dtype == DType::f32 && aligned))
            view(tensor);
        else
            set(tensor.name, to_f32(tensor));
    }
}

void WeightMap::resize_position_table(const ModelConfig& c, ImageSize image_size) {
    if (image_size == c.image_size || !c.position_table) return;
    const auto grid = [&](ImageSize size) {
        return ImageSize{size.height / c.patch_height, size.width / c.patch_width};
    };
    set("pos_embed", resample_position_table(
                         get("pos_embed"), c.no_embed_class ? 0 : c.prefix_tokens(),
                         grid(c.image_size), grid(image_size), c.embed_dim, c.table_interpolation));
}

void WeightMap::set(std::string name, std::vector<float> values) {
    std::vector<float>& kept = owned_[name];
    kept = std::move(values);
    view(std::move(name), kept);
}

void WeightMap::view(std::string name, std::span<const float> values) {
    TensorView& view = views_[name];
    view = {std::move(name),
            DType::f32,
            {static_cast<std::int64_t>(values.size())},
            std::as_bytes(values)};
}

const TensorView& WeightMap::tensor(std::string_view name) const {
    const auto found = views_.find(name);
    if (found == views_.end())
        throw Error(ErrorKind::internal, "weights: no tensor '" + std::string(name) + "'");
    return found->second;
}

std::span<const float> WeightMap::get(std::string_view name) const {
    const TensorView& view = tensor(name);
    if (view.dtype != DType::f32)
        throw Error(ErrorKind::internal, "weights: tensor '" + std::string(name) + "' is " +
                                             std::string(dtype_name(view.dtype)) +
                                             ", expected F32");
    return {reinterpret_cast<const float*>(view.data.data()), view.data.size() / sizeof(float)};
}

std::span<const float> WeightMap::floats(std::string_view name, std::vector<float>& storage) const {
    const TensorView& weight = tensor(name);
    if (weight.dtype != DType::i8) return get(name);
    const std::span<const float> scales = get(scale_name(name));
    const auto* numbers = reinterpret_cast<const std::int8_t*>(weight.data.data());
    storage.resize(weight.data.size());
    const std::size_t in = storage.size() / scales.size();
    for (std::size_t i = 0; i < storage.size(); ++i)
        storage[i] = static_cast<float>(numbers[i]) * scales[i / in];
    return storage;
}

}  // namespace vit::inline internal
