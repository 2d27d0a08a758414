// The libraries whose checkpoints can be converted. A source is one row: a function that recognises
// its checkpoints, a function that reads their configuration, and the table of their tensors'
// names.
#pragma once

#include <span>
#include <string_view>

#include "weights/mappings/common/mapping.h"
#include "weights/mappings/common/resolved_model.h"
#include "weights/mappings/convert.h"

namespace vit::inline internal {

struct Source {
    std::string_view name;  ///< the library, for messages: "timm"
    /// Whether the checkpoint is of this source, from the tensors' names and config.json. Throws
    /// Error(format) for a malformed config.json, and nothing else.
    bool (*recognise)(const Checkpoint& checkpoint);
    /// Reads the configuration. Throws Error as convert does.
    ResolvedModel (*resolve)(const Checkpoint& checkpoint, const ConvertOptions& options);
    std::span<const MappingRule> (*rules)();
    std::span<const std::string_view> prefixes{};  ///< Mapping::prefixes
};

/// The first source that recognises the checkpoint. timm is the last and accepts every checkpoint.
/// Its errors then say what the checkpoint is instead. Facebook's backbones without special tensors
/// are recognised by `arch` (--arch facebook.…). Throws as Source::recognise does.
const Source& find_source(const Checkpoint& checkpoint,
                          const std::optional<std::string>& arch = {});

}  // namespace vit::inline internal
