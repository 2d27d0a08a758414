// The output of --logits, --features or --tokens: the values of one run and the file for them.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "tools/vit-infer/row_file.h"

namespace vit::infer {

class RowOutput {
  public:
    /// Without a path, the values are computed only if `wanted`, and not written.
    RowOutput(const std::filesystem::path& path, const Shape& row_shape, PartFile::Begin begin,
              bool wanted = false) {
        if (path.empty() && !wanted) return;
        row_size_ = 1;
        for (const std::int64_t extent : row_shape) row_size_ *= static_cast<std::size_t>(extent);
        if (!path.empty()) file_.emplace(path, row_shape, begin);
    }

    /// Memory for the rows of a run of `count` inputs.
    std::span<float> prepare(std::size_t count) {
        values_.resize(row_size_ * count);
        return values_;
    }

    std::span<const float> row(std::size_t index) const {
        return std::span(values_).subspan(index * row_size_, row_size_);
    }

    void write(std::size_t index, bool good) {
        if (!file_) return;
        if (good)
            file_->write(row(index));
        else
            file_->write_missing();
    }

    /// The file; nullptr where none is written.
    RowFile* file() { return file_ ? &*file_ : nullptr; }

  private:
    std::optional<RowFile> file_;
    std::vector<float> values_;
    std::size_t row_size_ = 0;
};

}  // namespace vit::infer
