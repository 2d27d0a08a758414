#include "weights/quantization/quantize_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>

#include "engine/base/text.h"
#include "engine/model/model_tensors.h"
#include "vit/error.h"

namespace vit::inline internal {

QuantizedWeight quantize_weight(const TensorView& weight) {
    const std::vector<float> values = to_f32(weight);
    for (const float x : values)
        if (!std::isfinite(x))
            throw Error(ErrorKind::model, fmt::format("tensor {}: expected finite values, found {}",
                                                      in_quotes(weight.name), x));
    const auto out = static_cast<std::size_t>(weight.shape[0]), in = values.size() / out;
    QuantizedWeight result{std::vector<std::int8_t>(values.size()), std::vector<float>(out)};
    for (std::size_t o = 0; o < out; ++o) {
        const std::span row(values.data() + o * in, in);
        float largest = 0;
        for (const float x : row) largest = std::max(largest, std::abs(x));
        if (largest < 1e-30f) continue;
        result.scales[o] = largest / 127;
        for (std::size_t i = 0; i < in; ++i)
            result.numbers[o * in + i] =
                static_cast<std::int8_t>(std::nearbyint(row[i] * (127 / largest)));
    }
    return result;
}

QuantizedTensors quantize_weights(const ModelHeader& header, std::span<const TensorView> tensors) {
    const auto storage = std::make_shared<std::deque<QuantizedWeight>>();
    QuantizedTensors result{{}, storage};
    for (const TensorView& tensor : tensors) {
        if (stored_dtype({tensor.name, tensor.shape}, header) != DType::i8) {
            result.tensors.push_back(tensor);
            continue;
        }
        const QuantizedWeight& weight = storage->emplace_back(quantize_weight(tensor));
        result.tensors.push_back(
            {tensor.name, DType::i8, tensor.shape, std::as_bytes(std::span(weight.numbers))});
        result.tensors.push_back({scale_name(tensor.name),
                                  DType::f32,
                                  {tensor.shape[0]},
                                  std::as_bytes(std::span(weight.scales))});
    }
    return result;
}

}  // namespace vit::inline internal
