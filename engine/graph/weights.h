// Weights by name, as the evaluator and the executor read them.
#pragma once

#include <list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/model_file.h"

namespace vit::inline internal {

/// Tensors by canonical name: views of a mapped model file, or own copies.
class WeightMap {
  public:
    WeightMap() = default;
    WeightMap(const WeightMap&) = delete;
    WeightMap& operator=(const WeightMap&) = delete;
    WeightMap(WeightMap&&) = default;
    WeightMap& operator=(WeightMap&&) = default;
    /// Copies vectors (norms, biases, tokens), which are read while the model runs, and what the
    /// file does not hold aligned; for all others views into `file`. With another image size than
    /// the file's, the position table is resized to it.
    WeightMap(const ModelFile& file, ImageSize image_size);

    /// From images of `config` to those of another size.
    void resize_position_table(const ModelConfig& config, ImageSize image_size);

    void set(std::string name, std::vector<float> values);
    /// Values that outlive this.
    void view(std::string name, std::span<const float> values);
    /// As it is stored, float32 or bfloat16. Throws Error(internal) where the name is unknown.
    const TensorView& tensor(std::string_view name) const;
    /// A float32 tensor's elements. Throws Error(internal) for any other.
    std::span<const float> get(std::string_view name) const;

  private:
    std::map<std::string, TensorView, std::less<>> views_;
    std::map<std::string, std::vector<float>, std::less<>> owned_;
    std::list<std::vector<std::byte>> copies_;
};

}  // namespace vit::inline internal
