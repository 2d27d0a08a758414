// One file of a repository into the cache: resumed where it was cut, and checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tools/hub/cache.h"
#include "tools/hub/http.h"
#include "tools/hub/repository.h"
#include "tools/hub/settings.h"

namespace vit::hub {

/// What the hub says of a file.
struct RemoteFile {
    std::string name;
    std::string commit;
    std::string etag;                   ///< names the blob; its SHA-256 where it looks like one
    std::optional<std::uint64_t> size;  ///< bytes, where it is told
};

/// Where the hub serves a file.
std::string url_of(const Settings& settings, const Repository& repository,
                   const std::string& revision, const std::string& name);

/// Makes the file's blob, unless it is there, and links it into the commit's snapshot. What a cut
/// transfer or an interrupt leaves is BLOB.incomplete, and the next call goes on from there. A file
/// of the wrong size or SHA-256 is removed. Throws Error(io) whose message begins with the
/// repository and the file; also for more than `most_bytes`.
void download(Client& client, const Settings& settings, const Repository& repository,
              const CacheFolder& folder, const RemoteFile& file, std::uint64_t most_bytes);

}  // namespace vit::hub
