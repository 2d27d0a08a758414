// A checkpoint that timm's table names, not a configuration.
#pragma once

#include <string>

#include "weights/mappings/convert.h"

namespace vit::inline internal {

/// Makes convert() build what timm builds for `name`, NAME.TAG, with the weights that it has for
/// it. A config.json of that architecture stays. One of another is left out, with a note: timm has
/// names that share a repository (vit_base_patch32_clip_quickgelu_224.openai). Without one, and
/// without an architecture in `options`, the name's configuration is timm's own.
void build_as_named(const std::string& name, Checkpoint& checkpoint, ConvertOptions& options);

}  // namespace vit::inline internal
