// What SOURCE names: something here, or something to download.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "tools/hub/repository.h"
#include "tools/hub/web_file.h"

namespace vit::tools {

struct Origin {
    /// Of a file or folder; ORG/NAME that could have been one, where `repository` is there.
    std::filesystem::path path;
    std::optional<hub::Repository> repository;
    std::optional<hub::WebFile> web_file;
    std::optional<std::string> architecture;  ///< timm's NAME.TAG, where SOURCE is that
};

/// hf-hub:…, an address, what exists as a path, one of timm's names, or ORG/NAME. Anything else is
/// a path, if it looks like one. Throws Error(usage) naming what comes close, or saying why timm's
/// name is no use.
Origin find_origin(const std::string& source);

/// The checkpoint on this machine, and what provenance calls it; "" where that is its file's name.
struct Obtained {
    std::filesystem::path path;
    std::string name;
    std::string sha256;  ///< where it is known already; else empty
};

/// Downloads what is not here. `quiet`: without progress and notes. Throws Error(io), Error(usage).
Obtained obtain(const Origin& origin, bool quiet);

}  // namespace vit::tools
