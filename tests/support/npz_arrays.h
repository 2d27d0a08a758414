// The arrays of an .npz file by name, as numbers.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "weights/readers/npz.h"

namespace vit::test {

inline std::map<std::string, std::vector<float>> npz_arrays(const std::filesystem::path& path) {
    std::map<std::string, std::vector<float>> arrays;
    for (const NpyArray& array : read_npz(path)) arrays[array.name] = to_f32(array.view());
    return arrays;
}

}  // namespace vit::test
