// Writes a .npy file row by row. The number of inputs is known only at the end.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "engine/model/atomic_file.h"
#include "engine/model/tensor.h"

namespace vit::infer {

/// float32 [rows, row shape…]. The file appears only when it is complete.
class RowFile {
  public:
    /// Throws Error(io).
    RowFile(const std::filesystem::path& path, Shape row_shape);

    /// Appends one or more complete rows. Throws Error(io).
    void write(std::span<const float> rows);
    /// Appends a row of NaN for an input that failed.
    void write_missing();
    void commit();

    std::size_t row_size() const { return row_size_; }

  private:
    AtomicFile file_;
    Shape shape_;  // shape_[0] is the number of rows
    std::size_t row_size_ = 1;
};

}  // namespace vit::infer
