#include "weights/quantization/model_weights.h"

#include <fmt/format.h>

#include <cmath>

#include "engine/base/text.h"
#include "engine/model/model_tensors.h"
#include "vit/error.h"

namespace vit::inline internal {

ModelWeights::ModelWeights(std::span<const TensorView> tensors) {
    for (const TensorView& tensor : tensors) {
        order_.push_back(tensor.name);
        tensors_[tensor.name] = tensor;
    }
}

bool ModelWeights::has(std::string_view name) const {
    return tensors_.contains(name);
}

const Shape& ModelWeights::shape(std::string_view name) const {
    return tensors_.find(name)->second.shape;
}

std::span<const float> ModelWeights::floats(const std::string& name) {
    return change(name);
}

std::span<float> ModelWeights::change(const std::string& name) {
    const auto found = owned_.find(name);
    if (found != owned_.end()) return found->second;
    std::vector<float> values = to_f32(tensors_.at(name));
    for (const float x : values)
        if (!std::isfinite(x))
            throw Error(ErrorKind::model, fmt::format("tensor {}: expected finite values, found {}",
                                                      in_quotes(name), x));
    set(name, std::move(values));
    return owned_.at(name);
}

void ModelWeights::set(const std::string& name, std::vector<float> values) {
    std::vector<float>& kept = owned_[name] = std::move(values);
    TensorView& view = tensors_.at(name);
    view.dtype = DType::f32;
    view.data = std::as_bytes(std::span(kept));
}

void ModelWeights::set_int8(const std::string& weight, QuantizedWeight rounded) {
    int8_[weight] = std::move(rounded);
}

const QuantizedWeight* ModelWeights::int8(const std::string& weight) const {
    const auto found = int8_.find(weight);
    return found == int8_.end() ? nullptr : &found->second;
}

std::vector<TensorView> ModelWeights::views() const {
    std::vector<TensorView> result;
    for (const std::string& name : order_) {
        const TensorView& tensor = tensors_.find(name)->second;
        const QuantizedWeight* rounded = int8(name);
        if (rounded == nullptr) {
            result.push_back(tensor);
            continue;
        }
        result.push_back(
            {name, DType::i8, tensor.shape, std::as_bytes(std::span(rounded->numbers))});
        result.push_back({scale_name(name),
                          DType::f32,
                          {tensor.shape[0]},
                          std::as_bytes(std::span(rounded->scales))});
    }
    return result;
}

}  // namespace vit::inline internal
