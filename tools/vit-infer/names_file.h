// Writes the names of the inputs, one a line, in the order of the rows of the .npy files.
#pragma once

#include <filesystem>
#include <string_view>

#include "engine/model/atomic_file.h"

namespace vit::infer {

/// A text file that appears only when it is complete. Control bytes in names are escaped as in text
/// records, so that every name is one line.
class NamesFile {
  public:
    /// Throws Error(io).
    explicit NamesFile(const std::filesystem::path& path) : file_(path) {}

    void write(std::string_view name);  ///< Throws Error(io).
    void commit() { file_.commit(); }   ///< Throws Error(io).

  private:
    AtomicFile file_;
};

}  // namespace vit::infer
