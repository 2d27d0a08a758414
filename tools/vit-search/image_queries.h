// Queries that are images: a model turns them into vectors.
#pragma once

#include "tools/vit-search/queries.h"

namespace vit::search {

/// Decodes, preprocesses and runs an image, or the images of a folder, as vit-infer does. Throws
/// Error where the model or the folder cannot be used, and where the model's vectors are not of
/// `dim` values.
Queries image_queries(const Options& options, std::int64_t dim);

}  // namespace vit::search
