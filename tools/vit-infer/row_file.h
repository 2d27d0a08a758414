// A .npy file that grows row by row: how many inputs there are is known only at the end.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "engine/model/atomic_file.h"
#include "engine/model/tensor.h"

namespace vit::infer {

/// float32 [rows, row shape…]; appears whole or not at all.
class RowFile {
  public:
    /// Throws Error(io).
    RowFile(const std::filesystem::path& path, Shape row_shape);

    /// One or more whole rows. Throws Error(io).
    void write(std::span<const float> rows);
    /// A row of NaN, for an input that failed.
    void write_missing();
    void commit();

    std::size_t row_size() const { return row_size_; }

  private:
    AtomicFile file_;
    Shape shape_;  // shape_[0] counts rows
    std::size_t row_size_ = 1;
};

}  // namespace vit::infer
