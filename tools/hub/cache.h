// The cache folder in the layout of huggingface_hub, so that each of the two programs finds what
// the other has downloaded: models--ORG--NAME/{blobs,refs,snapshots,.no_exist}, and .locks beside
// them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "tools/hub/repository.h"

namespace vit::hub {

struct CacheFolder {
    std::filesystem::path root;   ///< models--ORG--NAME
    std::filesystem::path locks;  ///< locks of its blobs
};

CacheFolder cache_folder(const std::filesystem::path& cache, const Repository& repository);

/// The last known commit of the revision; empty if none is stored.
std::optional<std::string> stored_commit(const CacheFolder& folder, const Repository& repository);

/// Stores the commit if it can. Errors are ignored, because a complete cache may be read-only.
void store_commit(const CacheFolder& folder, const Repository& repository,
                  const std::string& commit);

/// The folder with the files of a commit. The files are links to blobs.
std::filesystem::path snapshot(const CacheFolder& folder, const std::string& commit);

/// The path of the blob with this ETag. If the file exists, it is complete.
std::filesystem::path blob(const CacheFolder& folder, const std::string& etag);

/// Makes snapshot/NAME a relative link to the blob, in one step. Throws Error(io).
void link(const CacheFolder& folder, const std::string& commit, const std::string& name,
          const std::string& etag);

/// Whether the cache has a note that the commit has no file of this name. store_absent() writes the
/// note if it can and ignores errors.
bool stored_absent(const CacheFolder& folder, const std::string& commit, const std::string& name);
void store_absent(const CacheFolder& folder, const std::string& commit, const std::string& name);

/// The lock that a process holds while it writes a blob. huggingface_hub uses the same lock.
std::filesystem::path blob_lock(const CacheFolder& folder, const std::string& etag);

/// A lock on a file. The file is created if it does not exist, and it stays. The lock ends with the
/// process at the latest.
class FileLock {
  public:
    /// Waits until it has the lock. Throws Error(io).
    explicit FileLock(const std::filesystem::path& path);
    ~FileLock();
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;

  private:
    int fd_ = -1;
};

}  // namespace vit::hub
