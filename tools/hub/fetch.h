// A model repository of the Hugging Face hub as a local folder.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "tools/hub/repository.h"
#include "tools/hub/settings.h"

namespace vit::hub {

struct Fetched {
    /// The weights, or the index of their shards, with all the rest in the commit's snapshot.
    std::filesystem::path weights;
    std::string commit;
};

/// Downloads what converting needs and the cache has not: configuration files, and of the weights
/// those that timm would load. Where the hub cannot be reached, what the cache has of the revision
/// is taken, and `note` gets a line about it. Throws Error(io) on everything that cannot be had,
/// Error(format) on an index of shards that makes no sense; messages begin with the repository.
Fetched fetch(const Repository& repository, const Settings& settings,
              const std::function<void(const std::string&)>& note);

}  // namespace vit::hub
