// A .npy file of preprocessed images, read one image at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "engine/model/tensor.h"

namespace vit::infer {

/// float32 [N, C, H, W] in C order. Reading is thread-safe.
class TensorRows {
  public:
    /// Throws Error(io), Error(input) and Error(format) naming the file.
    explicit TensorRows(std::filesystem::path path);
    TensorRows(const TensorRows&) = delete;
    TensorRows& operator=(const TensorRows&) = delete;
    ~TensorRows();

    const Shape& shape() const { return shape_; }

    /// Throws Error(input) when an image is not [channels, height, width] or holds NaN or infinity,
    /// Error(io).
    void read(std::int64_t row, const Shape& image_shape, std::span<float> out) const;

  private:
    std::filesystem::path path_;
    int fd_ = -1;
    Shape shape_;
    std::uint64_t data_offset_ = 0;
    bool big_endian_ = false;
};

}  // namespace vit::infer
