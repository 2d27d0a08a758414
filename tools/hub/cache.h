// The cache folder as huggingface_hub lays it out, so that what one of the two has downloaded the
// other finds: models--ORG--NAME/{blobs,refs,snapshots,.no_exist}, and .locks beside them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "tools/hub/repository.h"

namespace vit::hub {

struct CacheFolder {
    std::filesystem::path root;   ///< models--ORG--NAME
    std::filesystem::path locks;  ///< of its blobs
};

CacheFolder cache_folder(const std::filesystem::path& cache, const Repository& repository);

/// The commit that the revision was last known to be; nothing where none is stored.
std::optional<std::string> stored_commit(const CacheFolder& folder, const Repository& repository);

/// An attempt, no promise: a cache that is complete may be read-only.
void store_commit(const CacheFolder& folder, const Repository& repository,
                  const std::string& commit);

/// The files of a commit, as links to blobs.
std::filesystem::path snapshot(const CacheFolder& folder, const std::string& commit);

/// The blob of this ETag; it is whole wherever it exists.
std::filesystem::path blob(const CacheFolder& folder, const std::string& etag);

/// Makes snapshot/NAME a relative link to the blob, at once. Throws Error(io).
void link(const CacheFolder& folder, const std::string& commit, const std::string& name,
          const std::string& etag);

/// That a commit has no file of this name. Storing it is an attempt, no promise.
bool stored_absent(const CacheFolder& folder, const std::string& commit, const std::string& name);
void store_absent(const CacheFolder& folder, const std::string& commit, const std::string& name);

/// What whoever writes a blob locks; huggingface_hub takes the same lock.
std::filesystem::path blob_lock(const CacheFolder& folder, const std::string& etag);

/// Of a file that is made where there is none and stays. It ends with the process.
class FileLock {
  public:
    /// Waits for it. Throws Error(io).
    explicit FileLock(const std::filesystem::path& path);
    ~FileLock();
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;

  private:
    int fd_ = -1;
};

}  // namespace vit::hub
