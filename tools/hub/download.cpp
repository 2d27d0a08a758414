#include "tools/hub/download.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <system_error>
#include <thread>
#include <utility>

#include "tools/common/sha256.h"
#include "tools/hub/progress.h"
#include "vit/error.h"
#include "weights/model_file/text.h"

namespace vit::hub {

namespace {

namespace fs = std::filesystem;

/// BLOB.incomplete: grows at its end.
class Incomplete {
  public:
    explicit Incomplete(const fs::path& blob) : path_(blob.native() + ".incomplete") {
        fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (fd_ < 0) fail("cannot be written");
        const off_t end = ::lseek(fd_, 0, SEEK_END);
        if (end < 0) fail("cannot be written");
        size_ = static_cast<std::uint64_t>(end);
    }
    ~Incomplete() { ::close(fd_); }
    Incomplete(const Incomplete&) = delete;
    Incomplete& operator=(const Incomplete&) = delete;

    std::uint64_t size() const { return size_; }
    const fs::path& path() const { return path_; }

    void append(std::span<const std::byte> bytes) {
        while (!bytes.empty()) {
            const ssize_t count = ::write(fd_, bytes.data(), bytes.size());
            if (count < 0 && errno == EINTR) continue;
            if (count < 0) fail("cannot be written");
            size_ += static_cast<std::uint64_t>(count);
            bytes = bytes.subspan(static_cast<std::size_t>(count));
        }
    }
    void restart() {
        if (::ftruncate(fd_, 0) != 0 || ::lseek(fd_, 0, SEEK_SET) != 0) fail("cannot be written");
        size_ = 0;
    }
    void become(const fs::path& blob) {
        if (::fsync(fd_) != 0 || ::rename(path_.c_str(), blob.c_str()) != 0)
            fail("cannot be made a file of the cache");
    }
    void remove() { ::unlink(path_.c_str()); }

  private:
    [[noreturn]] void fail(std::string_view what) const {
        throw Error(ErrorKind::io, fmt::format("{}: {}: {}", in_quotes(path_.native()), what,
                                               std::generic_category().message(errno)));
    }

    fs::path path_;
    int fd_ = -1;
    std::uint64_t size_ = 0;
};

/// "bytes FIRST-LAST/TOTAL"; nothing where it is something else.
struct ContentRange {
    std::uint64_t first = 0, total = 0;
};
std::optional<ContentRange> content_range(const Response& response) {
    const std::string text = response.header("content-range");
    constexpr std::string_view unit = "bytes ";
    const std::size_t dash = text.find('-'), slash = text.find('/');
    if (!text.starts_with(unit) || dash == text.npos || slash == text.npos || dash > slash)
        return {};
    const auto number = [&](std::size_t begin, std::size_t end, std::uint64_t& value) {
        const auto parsed = std::from_chars(text.data() + begin, text.data() + end, value);
        return parsed.ec == std::errc() && parsed.ptr == text.data() + end;
    };
    ContentRange range;
    if (!number(unit.size(), dash, range.first) || !number(slash + 1, text.size(), range.total))
        return {};
    return range;
}

class Transfer {
  public:
    Transfer(const Settings& settings, const Repository& repository, const RemoteFile& file,
             std::uint64_t most_bytes, Incomplete& into)
        : settings_(settings),
          repository_(repository),
          file_(file),
          most_(most_bytes),
          total_(file.size),
          into_(into),
          progress_(settings.progress, file.name, into.size(), file.size) {}

    /// Until all bytes are there.
    void run(Client& client) {
        for (int attempt = 0; !whole();) {
            const std::uint64_t before = into_.size();
            if (send(client, before)) return;
            if (into_.size() > before) attempt = 0;  // it moved on
            if (++attempt > settings_.retries)
                fail(fmt::format(
                    "the connection was cut after {} bytes{}: {}; run it again to go "
                    "on from there",
                    into_.size(), total_ ? fmt::format(" of {}", *total_) : "", reason_));
            std::this_thread::sleep_for(settings_.retry_pause);
        }
    }

    [[noreturn]] void fail(const std::string& what) const {
        throw Error(ErrorKind::io,
                    fmt::format("{}: {}: {}", name_of(repository_), file_.name, what));
    }

  private:
    bool whole() const { return total_ && into_.size() == *total_; }

    /// One request; true when it brought the file to its end.
    bool send(Client& client, std::uint64_t from) {
        if (total_ && from > *total_) {
            into_.restart();
            from = 0;
        }
        Request request;
        request.url = url_of(settings_, repository_, file_.commit, file_.name);
        request.token = settings_.token;
        request.timeout = settings_.stall_timeout;
        request.from = from;
        bool begun = false;
        request.sink = [&](const Response& response, std::span<const std::byte> bytes) {
            if (!std::exchange(begun, true) && !begin(response, from)) return false;
            if (bytes.size() > total_.value_or(most_) - into_.size()) {
                remove(fmt::format("expected {} bytes, but the server sends more",
                                   total_.value_or(most_)));
            }
            into_.append(bytes);
            progress_.show(into_.size());
            return true;
        };
        const Response response = client.send(request);
        if (!response.failure.empty()) {
            reason_ = response.failure;
            return false;
        }
        if (response.status == 416) {  // what is here does not go with what the server has
            into_.restart();
            reason_ = "the server does not have the rest";
            return false;
        }
        if (response.status != 200 && response.status != 206) {
            reason_ = fmt::format("the server answers with status {}", response.status);
            const bool passing = response.status == 429 || response.status >= 500;
            if (!passing) fail(reason_);
            return false;
        }
        if (!begun && !begin(response, from)) return false;  // an empty body
        if (total_ && into_.size() < *total_) {
            reason_ = "the server sent too little";
            return false;
        }
        return true;
    }

    /// Before the first byte of a body: is it the wanted part of the wanted file?
    bool begin(const Response& response, std::uint64_t from) {
        std::optional<std::uint64_t> total = response.bytes("content-length");
        if (response.status == 206) {
            const std::optional<ContentRange> range = content_range(response);
            if (!range || range->first != from) {
                into_.restart();
                reason_ = "the server sent another part than it was asked for";
                return false;
            }
            total = range->total;
        } else if (from > 0) {
            into_.restart();  // the server knows no ranges: all of it comes
        }
        if (total && total_ && *total != *total_)
            remove(fmt::format("expected {} bytes, the server has {}", *total_, *total));
        if (total && *total > most_)
            remove(fmt::format("expected at most {} bytes, the server has {}", most_, *total));
        if (!total_) total_ = total;
        return true;
    }

    [[noreturn]] void remove(const std::string& what) {
        into_.remove();
        fail(what + "; what was downloaded is removed");
    }

    const Settings& settings_;
    const Repository& repository_;
    const RemoteFile& file_;
    std::uint64_t most_;
    std::optional<std::uint64_t> total_;
    Incomplete& into_;
    Progress progress_;
    std::string reason_;
};

void make_room(const fs::path& blobs, const RemoteFile& file, std::uint64_t there,
               const Transfer& transfer) {
    std::error_code error;
    const fs::space_info space = fs::space(blobs, error);
    if (!error && file.size && *file.size > there && space.available < *file.size - there)
        transfer.fail(fmt::format("{} bytes are needed in {}, {} are free", *file.size - there,
                                  in_quotes(blobs.native()), space.available));
}

bool is_there(const fs::path& blob, const RemoteFile& file) {
    std::error_code error;
    const std::uintmax_t size = fs::file_size(blob, error);
    return !error && (!file.size || size == *file.size);
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
    const BlobLock lock(folder, file.etag);
    if (!is_there(place, file)) {
        std::error_code error;
        fs::create_directories(place.parent_path(), error);
        if (error)
            throw Error(ErrorKind::io,
                        fmt::format("{}: cannot make this folder: {}",
                                    in_quotes(place.parent_path().native()), error.message()));
        Incomplete incomplete(place);
        Transfer transfer(settings, repository, file, most_bytes, incomplete);
        if (file.size && *file.size > most_bytes)
            transfer.fail(fmt::format("expected at most {} bytes, the server has {}", most_bytes,
                                      *file.size));
        make_room(place.parent_path(), file, incomplete.size(), transfer);
        transfer.run(client);
        if (is_sha256(file.etag)) {
            const std::string found = tools::sha256_of_file(incomplete.path());
            if (found != file.etag) {
                incomplete.remove();
                transfer.fail(
                    fmt::format("wrong checksum: expected SHA-256 {}, found {}; what was "
                                "downloaded is removed, run it again",
                                file.etag, found));
            }
        }
        incomplete.become(place);
    }
    link(folder, file.commit, file.name, file.etag);
}

}  // namespace vit::hub
