// Weights that are split over several files, with an index that says which file contains which
// tensor (`model.safetensors.index.json`, `pytorch_model.bin.index.json`).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "weights/readers/checkpoint.h"

namespace vit::inline internal {

/// For each file, the names of the tensors that it should contain.
using ShardIndex = std::map<std::string, std::vector<std::string>>;

/// Parses the `text` of an index. `where` names the index in messages. Throws Error(format) for
/// malformed JSON, a tensor that is listed twice, and a file name that leads out of the folder.
ShardIndex parse_shard_index(const std::string& text, const std::string& where);

/// Throws Error(model) unless the `tensors` of `file` are exactly those that the index lists for
/// it. `where` names the index in messages.
void check_shard(const std::vector<std::string>& listed, const std::vector<TensorView>& tensors,
                 const std::string& file, const std::string& where);

}  // namespace vit::inline internal
