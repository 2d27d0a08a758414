// Whose checkpoints are understood. A source is one row: how it is recognised, how its
// configuration is read, and the table of its tensors' names.
#pragma once

#include <span>
#include <string_view>

#include "weights/mappings/common/mapping.h"
#include "weights/mappings/common/resolved_model.h"
#include "weights/mappings/convert.h"

namespace vit::inline internal {

struct Source {
    std::string_view name;  ///< "timm": whose names the tensors have, for messages
    /// By tensors' names and config.json; must not throw.
    bool (*recognise)(const Checkpoint& checkpoint);
    /// Throws Error as convert does.
    ResolvedModel (*resolve)(const Checkpoint& checkpoint, const ConvertOptions& options);
    std::span<const MappingRule> (*rules)();
    std::span<const std::string_view> prefixes{};  ///< Mapping::prefixes
};

/// The first source that recognises the checkpoint; timm, which comes last, takes what is left and
/// says what it is where it is not timm's. Facebook's backbones without marks of their own are
/// known by `arch`, --arch facebook.….
const Source& find_source(const Checkpoint& checkpoint,
                          const std::optional<std::string>& arch = {});

}  // namespace vit::inline internal
