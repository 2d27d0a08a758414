#include "tools/vit-convert/round_weights.h"

#include <fmt/format.h>

#include <cmath>

#include "engine/model/model_tensors.h"
#include "vit/error.h"

namespace vit::tools {

void round_weights(Converted& model) {
    struct Storage {
        std::shared_ptr<const void> before;
        std::vector<std::vector<std::uint16_t>> rounded;
    };
    const auto storage = std::make_shared<Storage>();
    storage->before = model.storage;
    model.header.dtype = DType::bf16;
    for (TensorView& tensor : model.tensors) {
        if (stored_dtype({tensor.name, tensor.shape}, model.header) != DType::bf16) continue;
        const std::vector<float> values = to_f32(tensor);
        std::vector<std::uint16_t>& rounded = storage->rounded.emplace_back();
        rounded.reserve(values.size());
        for (float x : values) {
            rounded.push_back(to_bf16(x));
            if (!std::isfinite(from_bf16(rounded.back())))
                throw Error(ErrorKind::model,
                            fmt::format("tensor {}: value {} is too large for bf16; use f32",
                                        tensor.name, x));
        }
        tensor.dtype = DType::bf16;
        tensor.data = std::as_bytes(std::span(rounded));
    }
    model.storage = storage;
}

}  // namespace vit::tools
