// Finds out what SOURCE means: something on this machine, or something to download.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "tools/hub/repository.h"
#include "tools/hub/web_file.h"

namespace vit::tools {

struct Origin {
    /// A file or folder. If `repository` is set: the text ORG/NAME, which could have been a path.
    std::filesystem::path path;
    std::optional<hub::Repository> repository;
    std::optional<hub::WebFile> web_file;
    std::optional<std::string> architecture;  ///< timm's NAME.TAG, if SOURCE is one
};

/// Accepts hf-hub:…, an address, an existing path, one of timm's names, or ORG/NAME. Any other text
/// is a path if it looks like one. Otherwise throws Error(usage) that suggests similar names, or
/// says why timm's name cannot be used.
Origin find_origin(const std::string& source);

/// The checkpoint on this machine, and its name in the provenance; "" means the file's own name.
struct Obtained {
    std::filesystem::path path;
    std::string name;
    std::string sha256;  ///< if it is already known; otherwise empty
};

/// Downloads the checkpoint if it is not on this machine. `quiet`: prints no progress and no notes.
/// Throws Error(io), Error(usage).
Obtained obtain(const Origin& origin, bool quiet);

}  // namespace vit::tools
