// Downloads one file of a repository into the cache. Resumes a cut download and checks the result.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tools/hub/cache.h"
#include "tools/hub/http.h"
#include "tools/hub/repository.h"
#include "tools/hub/settings.h"

namespace vit::hub {

/// What the hub says about a file.
struct RemoteFile {
    std::string name;
    std::string commit;
    std::string etag;                   ///< names the blob; if it looks like a SHA-256, it is one
    std::optional<std::uint64_t> size;  ///< bytes, if the hub says it
};

/// The URL under which the hub serves a file.
std::string url_of(const Settings& settings, const Repository& repository,
                   const std::string& revision, const std::string& name);

/// Downloads the file's blob if it is missing, and links it into the commit's snapshot. After a cut
/// transfer or an interrupt the received part stays as BLOB.incomplete, and the next call resumes
/// from there. A file with the wrong size or SHA-256 is removed. Throws Error(io) whose message
/// begins with the repository and the file, also if the file is larger than `most_bytes`.
void download(Client& client, const Settings& settings, const Repository& repository,
              const CacheFolder& folder, const RemoteFile& file, std::uint64_t most_bytes);

}  // namespace vit::hub
