// Weights split over several files, with an index that says which tensor lies in which
// (`model.safetensors.index.json`, `pytorch_model.bin.index.json`).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "weights/readers/checkpoint.h"

namespace vit::inline internal {

/// Tensors' names by the file that they are said to lie in.
using ShardIndex = std::map<std::string, std::vector<std::string>>;

/// `text` of an index. `where` names it in messages. Throws Error(format) on malformed JSON, a
/// tensor that is listed twice, or a file name that is not one of this folder.
ShardIndex parse_shard_index(const std::string& text, const std::string& where);

/// Throws Error(model) unless `tensors`, which lie in `file`, are just those that the index says.
void check_shard(const std::vector<std::string>& listed, const std::vector<TensorView>& tensors,
                 const std::string& file, const std::string& where);

}  // namespace vit::inline internal
