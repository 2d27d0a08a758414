// Rounds weights to int8 so that the outputs for measured inputs change least: GPTQ (Frantar et
// al., "GPTQ: Accurate Post-Training Quantization for Generative Pre-trained Transformers", 2023).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/ops/gemm.h"
#include "weights/quantization/rounding.h"

namespace vit::inline internal {

/// What rounding needs to know about the inputs of a linear.
struct InputFactor {
    /// The inputs in the order of their variance. The input with the largest variance comes last.
    std::vector<std::int32_t> order;
    /// L [in, in], lower triangular, with L Lᵀ = the covariance of the ordered inputs + damping.
    std::vector<float> cholesky;
};

/// `rows`: [rows, in], with mean 0 in every column.
InputFactor factor_inputs(MatrixView rows);

/// Minimises the sum of (w − ŵ)ᵀ L Lᵀ (w − ŵ) over the outputs greedily: inputs are rounded from
/// the last one in `order` to the first, and each error is compensated by the inputs that are not
/// yet rounded. `weight` is [out, in] and finite.
QuantizedWeight round_with_gptq(std::span<const float> weight, std::size_t out,
                                const InputFactor& inputs);

}  // namespace vit::inline internal
