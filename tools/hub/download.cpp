#include "tools/hub/download.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "tools/common/sha256.h"
#include "tools/hub/transfer.h"

namespace vit::hub {

namespace {

namespace fs = std::filesystem;

bool is_there(const fs::path& blob, const RemoteFile& file) {
    std::error_code error;
    const std::uintmax_t size = fs::file_size(blob, error);
    return !error && (!file.size || size == *file.size);
}

std::string wrong_checksum(const fs::path& path, const std::string& etag) {
    if (!is_sha256(etag)) return "";
    const std::string found = tools::sha256_of_file(path);
    if (found == etag) return "";
    return fmt::format("wrong checksum: expected SHA-256 {}, found {}", etag, found);
}

}  // namespace

std::string url_of(const Settings& settings, const Repository& repository,
                   const std::string& revision, const std::string& name) {
    return fmt::format("{}/{}/resolve/{}/{}", settings.endpoint, repository.id, escaped(revision),
                       escaped(name));
}

void download(Client& client, const Settings& settings, const Repository& repository,
              const CacheFolder& folder, const RemoteFile& file, std::uint64_t most_bytes) {
    const fs::path place = blob(folder, file.etag);
    const FileLock lock(blob_lock(folder, file.etag));
    if (!is_there(place, file)) {
        Wanted wanted;
        wanted.url = url_of(settings, repository, file.commit, file.name);
        wanted.token = settings.token;
        wanted.title = fmt::format("{}: {}", name_of(repository), file.name);
        wanted.name = file.name;
        wanted.size = file.size;
        wanted.most_bytes = most_bytes;
        wanted.check = [&](const fs::path& path) { return wrong_checksum(path, file.etag); };
        transfer(client, settings, wanted, place);
    }
    link(folder, file.commit, file.name, file.etag);
}

}  // namespace vit::hub
