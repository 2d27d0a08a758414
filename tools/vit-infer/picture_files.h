// The names of pictures of inputs.
#pragma once

#include <cstddef>
#include <filesystem>
#include <set>
#include <span>
#include <string>

#include "tools/vit-infer/inputs.h"

namespace vit::infer {

/// Names the pictures of one option. OUT.png is the picture of the only input; of several inputs
/// they are OUT-1.png, OUT-2.png, … by their position. Any other OUT is a folder, which gets
/// NAME-KIND.png for each input. A name that is already used gets a number.
class PictureFiles {
  public:
    /// `kind`: "attention", "pca", "occlusion". Creates the folder. Throws Error(io).
    PictureFiles(std::filesystem::path out, std::string kind, std::span<const Input> inputs);

    /// Where the picture of inputs[index] goes. Call it once for each. Throws Error(usage) where
    /// that file is one of the inputs.
    std::filesystem::path next(std::size_t index);

  private:
    std::filesystem::path name_of(std::size_t index);

    std::filesystem::path out_;
    std::string kind_;
    std::span<const Input> inputs_;
    std::set<std::filesystem::path> read_;  // the files of the inputs
    std::set<std::filesystem::path> used_;
};

}  // namespace vit::infer
