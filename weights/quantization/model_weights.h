// The weights of a model while its linears become int8.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/tensor.h"
#include "weights/quantization/rounding.h"

namespace vit::inline internal {

/// Tensors by name. Floating-point tensors are read from the checkpoint until they are changed. A
/// weight may also have an int8 form, which views() then prefers. Not thread-safe.
class ModelWeights {
  public:
    /// The tensors' bytes must outlive this object.
    explicit ModelWeights(std::span<const TensorView> tensors);

    bool has(std::string_view name) const;
    const Shape& shape(std::string_view name) const;
    /// The values as float32. The span stays valid until change() or set() of this tensor. Throws
    /// Error(model) with the tensor's name where a value is not finite.
    std::span<const float> floats(const std::string& name);
    /// The same, to be changed.
    std::span<float> change(const std::string& name);
    void set(const std::string& name, std::vector<float> values);

    void set_int8(const std::string& weight, QuantizedWeight rounded);
    void drop_int8(const std::string& weight) { int8_.erase(weight); }
    /// The int8 form; nullptr where there is none.
    const QuantizedWeight* int8(const std::string& weight) const;

    /// The tensors in their first order, and the scales after each int8 weight. The views are valid
    /// until the next change.
    std::vector<TensorView> views() const;

  private:
    std::vector<std::string> order_;
    std::map<std::string, TensorView, std::less<>> tensors_;
    std::map<std::string, std::vector<float>, std::less<>> owned_;
    std::map<std::string, QuantizedWeight, std::less<>> int8_;
};

}  // namespace vit::inline internal
