// A .npy file of preprocessed images. One image is read at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "engine/model/tensor.h"

namespace vit::infer {

/// The array is float16, float32 or float64, [N, C, H, W] or [C, H, W], in C order. Reading is
/// thread-safe.
class TensorRows {
  public:
    /// Throws Error(io), Error(input) or Error(format) that names the file.
    explicit TensorRows(std::filesystem::path path);
    TensorRows(const TensorRows&) = delete;
    TensorRows& operator=(const TensorRows&) = delete;
    ~TensorRows();

    /// [N, C, H, W]; N is 1 for one image.
    const Shape& shape() const { return shape_; }
    /// The array is one image, [C, H, W].
    bool is_single() const { return is_single_; }

    /// Throws Error(input) if an image is not [channels, height, width] or contains NaN or
    /// infinity, and Error(io).
    void read(std::int64_t row, const Shape& image_shape, std::span<float> out) const;

  private:
    std::filesystem::path path_;
    int fd_ = -1;
    Shape shape_;
    DType dtype_ = DType::f32;
    bool is_single_ = false;
    std::uint64_t data_offset_ = 0;
    bool big_endian_ = false;
};

}  // namespace vit::infer
