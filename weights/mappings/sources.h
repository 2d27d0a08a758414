// The libraries whose checkpoints can be converted. Each has a row: the function that recognises
// it, the function that reads its configuration, and the table of its tensor names.
#pragma once

#include <span>
#include <string_view>

#include "weights/mappings/common/mapping.h"
#include "weights/mappings/common/resolved_model.h"
#include "weights/mappings/convert.h"

namespace vit::inline internal {

struct Source {
    std::string_view name;  ///< the library that gave the tensors their names, for messages: "timm"
    /// Looks at tensor names and config.json. Must not throw.
    bool (*recognise)(const Checkpoint& checkpoint);
    /// Throws what convert throws.
    ResolvedModel (*resolve)(const Checkpoint& checkpoint, const ConvertOptions& options);
    std::span<const MappingRule> (*rules)();
    std::span<const std::string_view> prefixes{};  ///< Mapping::prefixes
};

/// Returns the first source that recognises the checkpoint. timm is the last one; it takes all
/// other checkpoints, and its error describes those that are not timm's. A backbone of Facebook's
/// that looks like timm's is recognised by `arch`, --arch facebook.….
const Source& find_source(const Checkpoint& checkpoint,
                          const std::optional<std::string>& arch = {});

}  // namespace vit::inline internal
