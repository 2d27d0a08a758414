// Makes a model repository of the Hugging Face hub available as a local folder.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "tools/hub/repository.h"
#include "tools/hub/settings.h"

namespace vit::hub {

struct Fetched {
    /// The weights, or the index of their shards. All other files are beside them in the commit's
    /// snapshot.
    std::filesystem::path weights;
    std::string commit;
};

/// Downloads the files that a conversion needs and the cache does not have: the configuration
/// files, and the weights that timm would load. If the hub cannot be reached, the files of this
/// revision in the cache are used, and `note` gets a line about it. Throws Error(io) if something
/// necessary is not available, and Error(format) if an index of shards is invalid. Messages begin
/// with the repository.
Fetched fetch(const Repository& repository, const Settings& settings,
              const std::function<void(const std::string&)>& note);

}  // namespace vit::hub
