// Weights split over several files, with an index that names the file of each tensor
// (`model.safetensors.index.json`, `pytorch_model.bin.index.json`).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "weights/readers/checkpoint.h"

namespace vit::inline internal {

/// The names of the tensors of each file, from the index.
using ShardIndex = std::map<std::string, std::vector<std::string>>;

/// Reads the `text` of an index. `where` names it in messages. Throws Error(format) on malformed
/// JSON, a tensor that is listed twice, or a file name that is not one of this folder.
ShardIndex parse_shard_index(const std::string& text, const std::string& where);

/// Throws Error(model) unless `tensors`, which are in `file`, are exactly those of the index.
void check_shard(const std::vector<std::string>& listed, const std::vector<TensorView>& tensors,
                 const std::string& file, const std::string& where);

}  // namespace vit::inline internal
