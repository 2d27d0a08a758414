#include "tools/hub/cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <system_error>

#include "engine/base/text.h"
#include "engine/model/atomic_file.h"
#include "vit/error.h"

namespace vit::hub {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, std::string_view what, std::error_code error) {
    throw Error(ErrorKind::io,
                fmt::format("{}: {}: {}", in_quotes(path.native()), what, error.message()));
}

void make_folder(const fs::path& path) {
    std::error_code error;
    fs::create_directories(path, error);
    if (error) fail(path, "cannot make this folder", error);
}

}  // namespace

CacheFolder cache_folder(const fs::path& cache, const Repository& repository) {
    std::string name = "models--" + repository.id;
    if (const std::size_t slash = name.find('/'); slash != name.npos) name.replace(slash, 1, "--");
    return {cache / name, cache / ".locks" / name};
}

std::optional<std::string> stored_commit(const CacheFolder& folder, const Repository& repository) {
    if (is_commit(repository.revision)) return repository.revision;
    std::ifstream file(folder.root / "refs" / repository.revision, std::ios::binary);
    std::string commit(40, '\0');
    file.read(commit.data(), 40);
    if (file.gcount() != 40 || !is_commit(commit)) return {};
    return commit;
}

void store_commit(const CacheFolder& folder, const Repository& repository,
                  const std::string& commit) {
    if (stored_commit(folder, repository) == commit) return;
    const fs::path path = folder.root / "refs" / repository.revision;
    try {
        make_folder(path.parent_path());
        AtomicFile file(path);
        file.write(std::as_bytes(std::span(commit)));
        file.commit();
    } catch (const Error&) {
        // Ignored: if the cache cannot be written, the next necessary write reports the error.
    }
}

fs::path snapshot(const CacheFolder& folder, const std::string& commit) {
    return folder.root / "snapshots" / commit;
}

fs::path blob(const CacheFolder& folder, const std::string& etag) {
    return folder.root / "blobs" / etag;
}

void link(const CacheFolder& folder, const std::string& commit, const std::string& name,
          const std::string& etag) {
    const fs::path place = snapshot(folder, commit) / name;
    make_folder(place.parent_path());
    const fs::path temporary =
        place.parent_path() / fmt::format(".vit-{}-{}", ::getpid(), etag.substr(0, 40));
    std::error_code error;
    fs::remove(temporary, error);
    fs::create_symlink(fs::path("../../blobs") / etag, temporary, error);
    if (!error) fs::rename(temporary, place, error);
    if (error) fail(place, "cannot make this link", error);
}

bool stored_absent(const CacheFolder& folder, const std::string& commit, const std::string& name) {
    std::error_code ignored;
    return fs::exists(folder.root / ".no_exist" / commit / name, ignored);
}

void store_absent(const CacheFolder& folder, const std::string& commit, const std::string& name) {
    const fs::path place = folder.root / ".no_exist" / commit;
    std::error_code ignored;
    fs::create_directories(place, ignored);
    std::ofstream(place / name, std::ios::app).flush();
}

FileLock::FileLock(const fs::path& path) {
    make_folder(path.parent_path());
    fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0664);
    int status = fd_;
    while (fd_ >= 0 && (status = ::flock(fd_, LOCK_EX)) != 0 && errno == EINTR) {
    }
    if (status >= 0) return;
    const std::error_code error(errno, std::generic_category());
    if (fd_ >= 0) ::close(fd_);
    fail(path, "cannot be locked", error);
}

FileLock::~FileLock() {
    ::close(fd_);
}

fs::path blob_lock(const CacheFolder& folder, const std::string& etag) {
    return folder.locks / (etag + ".lock");
}

}  // namespace vit::hub
