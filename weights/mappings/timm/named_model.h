// Prepares a checkpoint whose architecture comes from its name in timm's table.
#pragma once

#include <string>

#include "weights/mappings/convert.h"

namespace vit::inline internal {

/// Changes `checkpoint`, which has timm's weights of `name` (NAME.TAG), and `options` so that
/// convert() builds the same model as timm. A config.json of this architecture stays. A config.json
/// of another architecture is removed with a note, because some of timm's names share a repository
/// (vit_base_patch32_clip_quickgelu_224.openai). Where there is then no config.json, and `options`
/// has no architecture, sets options.arch to `name`.
void build_as_named(const std::string& name, Checkpoint& checkpoint, ConvertOptions& options);

}  // namespace vit::inline internal
