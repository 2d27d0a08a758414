// Vectors in a .npy file, as `vit-infer --features` and numpy write them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "engine/model/mapped_file.h"
#include "weights/readers/npy.h"

namespace vit::search {

/// An array [N, D] of float32, float16 or float64 in C order, mapped into memory. An array [D] is
/// one vector. Reading is thread-safe. The file must not be changed in place meanwhile.
class VectorFile {
  public:
    /// Throws Error(io), Error(format) or Error(unsupported) that names the file.
    explicit VectorFile(const std::filesystem::path& path);

    const std::filesystem::path& path() const { return path_; }
    std::int64_t count() const { return count_; }
    std::int64_t dim() const { return dim_; }

    /// Vectors `first` … `first + count - 1`, [count, D]: a part of the file if that holds float32,
    /// otherwise converted into `scratch`.
    std::span<const float> rows(std::int64_t first, std::int64_t count,
                                std::vector<float>& scratch) const;

    /// All vectors.
    std::vector<float> all() const;

  private:
    std::filesystem::path path_;
    MappedFile file_;
    DType dtype_ = DType::f32;
    std::int64_t count_ = 0, dim_ = 0;
    std::span<const std::byte> data_;
};

/// Scales a vector to length 1. Returns false, and leaves the vector as it is, if it has no
/// direction: it is zero, or holds NaN or infinity.
bool make_unit(std::span<float> vector);

}  // namespace vit::search
