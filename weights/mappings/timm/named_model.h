// A checkpoint whose architecture comes from timm's table of names, not from a configuration.
#pragma once

#include <string>

#include "weights/mappings/convert.h"

namespace vit::inline internal {

/// Lets convert() build the model that timm builds for `name`, NAME.TAG, with that name's weights.
/// A config.json of the same architecture is used. A config.json of another architecture is
/// ignored, with a note, because some names share a repository
/// (vit_base_patch32_clip_quickgelu_224.openai). Without config.json, and without an architecture
/// in `options`, the configuration is the one that timm has for the name.
void build_as_named(const std::string& name, Checkpoint& checkpoint, ConvertOptions& options);

}  // namespace vit::inline internal
