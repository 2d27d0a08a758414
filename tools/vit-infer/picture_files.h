// The names of pictures of inputs.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "tools/vit-infer/inputs.h"

namespace vit::infer {

/// Where the picture of each input goes. OUT.png is the picture of the only input; of several
/// inputs they are OUT-1.png, OUT-2.png, … by their position. Any other OUT is a folder, which is
/// created and gets NAME-KIND.png for each input; a name that is already used gets a number.
/// `kind`: "attention", "pca", "occlusion". Throws Error(usage) where a picture would replace an
/// input, and Error(io) where the folder cannot be created.
std::vector<std::filesystem::path> picture_files(const std::filesystem::path& out,
                                                 const std::string& kind,
                                                 std::span<const Input> inputs);

}  // namespace vit::infer
