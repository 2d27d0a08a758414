// Writes the names of the inputs, one a line, in the order of the rows of the .npy files.
#pragma once

#include <filesystem>
#include <string_view>

#include "tools/vit-infer/part_file.h"

namespace vit::infer {

/// A text file that appears only when it is complete. Control bytes in names are escaped as in text
/// records, so that every name is one line.
class NamesFile {
  public:
    /// Begins with no names, also where an earlier run has written some. Throws Error(io).
    NamesFile(const std::filesystem::path& path, PartFile::Begin begin) : file_(path, begin) {
        file_.truncate(0);
    }

    void write(std::string_view name);  ///< Throws Error(io).
    /// From now on the names stay if the run ends early.
    void keep() { file_.keep(); }
    void commit() { file_.commit(); }  ///< Throws Error(io).

  private:
    PartFile file_;
};

}  // namespace vit::infer
