// Writes a .npy file row by row. The number of inputs is known only at the end.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "engine/model/tensor.h"
#include "tools/vit-infer/part_file.h"

namespace vit::infer {

/// float32 [rows, row shape…]. The file appears only when it is complete.
class RowFile {
  public:
    /// Begin::resumed: an earlier run may have written rows. Throws Error(io), Error(usage), and
    /// Error(input) where these are rows of another shape.
    RowFile(const std::filesystem::path& path, Shape row_shape, PartFile::Begin begin);

    /// The rows so far.
    std::int64_t rows() const { return shape_[0]; }
    /// Forgets all rows after the first `rows`.
    void keep_rows(std::int64_t rows);

    /// Appends one or more complete rows. Throws Error(io).
    void write(std::span<const float> rows);
    /// Appends a row of NaN for an input that failed.
    void write_missing();
    /// From now on the rows stay if the run ends early.
    void keep() { file_.keep(); }
    void commit();

    std::size_t row_size() const { return row_size_; }

  private:
    PartFile file_;
    Shape shape_;  // shape_[0] is the number of rows
    std::size_t row_size_ = 1;
};

}  // namespace vit::infer
