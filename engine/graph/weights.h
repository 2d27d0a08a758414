// Weights by name, for the evaluator and the executor.
#pragma once

#include <list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/model_file.h"

namespace vit::inline internal {

/// Tensors by canonical name: views into a mapped model file, or copies.
class WeightMap {
  public:
    WeightMap() = default;
    WeightMap(const WeightMap&) = delete;
    WeightMap& operator=(const WeightMap&) = delete;
    WeightMap(WeightMap&&) = default;
    WeightMap& operator=(WeightMap&&) = default;
    /// Copies vectors (norms, biases, tokens), because they are read while the model runs, and
    /// tensors that are not aligned in the file. All others are views into `file`. Where the image
    /// size differs from the file's, resizes the position table.
    WeightMap(const ModelFile& file, ImageSize image_size);
    /// Views of tensors of bytes and of float32 tensors that are aligned, and float32 copies of all
    /// others.
    explicit WeightMap(std::span<const TensorView> tensors);

    /// Resizes the table from images of `config` to images of another size.
    void resize_position_table(const ModelConfig& config, ImageSize image_size);

    void set(std::string name, std::vector<float> values);
    /// The values must outlive this object.
    void view(std::string name, std::span<const float> values);
    void view(const TensorView& tensor) { views_[tensor.name] = tensor; }
    /// The tensor as stored, float32 or bfloat16. Throws Error(internal) where the name is unknown.
    const TensorView& tensor(std::string_view name) const;
    /// The elements of a float32 tensor. Throws Error(internal) for any other tensor.
    std::span<const float> get(std::string_view name) const;
    /// The same for a float32 tensor, or for an int8 weight [out, in] times the scales of its
    /// outputs, which is written to `storage`.
    std::span<const float> floats(std::string_view name, std::vector<float>& storage) const;

  private:
    std::map<std::string, TensorView, std::less<>> views_;
    std::map<std::string, std::vector<float>, std::less<>> owned_;
    std::list<std::vector<std::byte>> copies_;
};

}  // namespace vit::inline internal
