// The vectors that a search looks for.
#pragma once

#include <string>
#include <vector>

#include "tools/vit-search/options.h"
#include "tools/vit-search/vector_file.h"

namespace vit::search {

struct Queries {
    std::vector<std::string> names;
    std::vector<std::string> errors;  ///< empty where there is none
    std::vector<float> vectors;       ///< [names, D], of length 1; zeros where there is an error
};

/// Queries from --row, from a .npy file or from images. An image that fails has an error of its
/// own. Throws Error.
Queries read_queries(const Options& options, const VectorFile& index);

}  // namespace vit::search
