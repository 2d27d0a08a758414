#include "tools/hub/transfer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <system_error>
#include <thread>
#include <utility>

#include "engine/base/text.h"
#include "tools/hub/progress.h"
#include "vit/error.h"

namespace vit::hub {

namespace {

namespace fs = std::filesystem;

/// The file PLACE.incomplete, to which bytes are appended.
class Incomplete {
  public:
    explicit Incomplete(const fs::path& place) : path_(incomplete_of(place)) {
        fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (fd_ < 0) fail("cannot be written");
        const off_t end = ::lseek(fd_, 0, SEEK_END);
        if (end < 0) fail("cannot be written");
        size_ = static_cast<std::uint64_t>(end);
    }
    ~Incomplete() {
        if (size_ == 0 && !whole_) remove();
        ::close(fd_);
    }
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
    void become(const fs::path& place) {
        if (::fsync(fd_) != 0 || ::rename(path_.c_str(), place.c_str()) != 0)
            fail("cannot be made a file of the cache");
        whole_ = true;
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
    bool whole_ = false;
};

/// Reads "bytes FIRST-LAST/TOTAL". Empty if the header has another form.
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
    Transfer(const Settings& settings, const Wanted& wanted, Incomplete& into)
        : settings_(settings),
          wanted_(wanted),
          total_(wanted.size),
          version_(wanted.version),
          into_(into),
          progress_(settings.progress, wanted.name, into.size(), wanted.size) {}

    /// Downloads until the file is complete.
    void run(Client& client) {
        if (total_) check_size(*total_);
        for (int attempt = 0; !whole();) {
            const std::uint64_t before = into_.size();
            if (send(client, before)) return;
            if (into_.size() > before) attempt = 0;  // the transfer made progress
            if (++attempt > settings_.retries && !reached_)
                fail(fmt::format("{} cannot be reached ({})", host_of(wanted_.url), reason_));
            if (attempt > settings_.retries)
                fail(fmt::format(
                    "the connection was cut after {} bytes{}: {}; run it again to go "
                    "on from there",
                    into_.size(), total_ ? fmt::format(" of {}", *total_) : "", reason_));
            std::this_thread::sleep_for(settings_.retry_pause);
        }
    }

  private:
    [[noreturn]] void fail(const std::string& what) const {
        throw Error(ErrorKind::io, fmt::format("{}: {}", wanted_.title, what));
    }
    bool whole() const { return total_ && into_.size() == *total_; }

    /// Sends one request. True if the file is complete after it.
    bool send(Client& client, std::uint64_t from) {
        if (total_ && from > *total_) {
            into_.restart();
            from = 0;
        }
        Request request;
        request.url = wanted_.url;
        request.token = wanted_.token;
        request.timeout = settings_.stall_timeout;
        request.from = from;
        request.version = version_;
        bool begun = false, of_use = true;
        request.sink = [&](const Response& response, std::span<const std::byte> bytes) {
            if (!std::exchange(begun, true)) of_use = begin(response, from);
            if (!of_use) return false;
            if (bytes.size() > total_.value_or(wanted_.most_bytes) - into_.size()) {
                remove(fmt::format("expected {} bytes, but the server sends more",
                                   total_.value_or(wanted_.most_bytes)));
            }
            into_.append(bytes);
            progress_.show(into_.size());
            return true;
        };
        const Response response = client.send(request);
        if (response.status != 0) reached_ = true;
        if (!response.failure.empty()) {
            reason_ = response.failure;
            return false;
        }
        if (response.status == 416) {  // the part here does not fit the server's file
            into_.restart();
            reason_ = "the server does not have the rest";
            return false;
        }
        if (response.status != 200 && response.status != 206) {
            reason_ = fmt::format("the server answers with status {}", response.status);
            if (response.status == 404) reason_ = "there is no such file (status 404)";
            const bool passing = response.status == 429 || response.status >= 500;
            if (!passing) fail(reason_);
            return false;
        }
        if (!begun) of_use = begin(response, from);  // the body was empty
        if (!of_use) return false;
        if (total_ && into_.size() < *total_) {
            reason_ = "the server sent too little";
            return false;
        }
        return true;
    }

    /// Called before the first byte of a body. True if the body is the requested part of the
    /// expected file.
    bool begin(const Response& response, std::uint64_t from) {
        std::optional<std::uint64_t> total = response.bytes("content-length");
        if (response.status == 206) {
            const std::optional<ContentRange> range = content_range(response);
            if (!range || range->first != from || range->total <= from) {
                into_.restart();
                reason_ = "the server sent another part than was requested";
                return false;
            }
            total = range->total;
            if (wanted_.must_know_version && version_of(response) != version_) {
                start_again();
                reason_ = "the file on the server has changed";
                return false;
            }
        } else {
            start_again();  // if a part was here, the server supports no ranges or has another file
            if (wanted_.begun) wanted_.begun(response);
            if (wanted_.must_know_version) version_ = version_of(response);
        }
        if (total && total_ && *total != *total_)
            remove(fmt::format("expected {} bytes, the server has {}", *total_, *total));
        if (total && !total_) check_size(*total);
        if (!total_) {
            total_ = total;
            progress_.expect(total);
        }
        return true;
    }

    /// Restarts from the first byte, with any version.
    void start_again() {
        into_.restart();
        total_ = wanted_.size;
        version_.clear();
    }

    void check_size(std::uint64_t total) {
        if (total > wanted_.most_bytes)
            remove(fmt::format("expected at most {} bytes, the server has {}", wanted_.most_bytes,
                               total));
        const fs::path folder = into_.path().parent_path();
        std::error_code error;
        const fs::space_info space = fs::space(folder, error);
        if (!error && total > into_.size() && space.available < total - into_.size())
            fail(fmt::format("{} bytes are needed in {}, {} are free", total - into_.size(),
                             in_quotes(folder.native()), space.available));
    }

    [[noreturn]] void remove(const std::string& what) {
        into_.remove();
        fail(what + "; what was downloaded is removed");
    }

    const Settings& settings_;
    const Wanted& wanted_;
    std::optional<std::uint64_t> total_;
    std::string version_;  // version of the bytes that are here
    Incomplete& into_;
    Progress progress_;
    bool reached_ = false;  // the server has answered
    std::string reason_;
};

}  // namespace

fs::path incomplete_of(const fs::path& place) {
    return place.native() + ".incomplete";
}

std::string version_of(const Response& response) {
    const std::string etag = response.header("etag");
    // Two files with the same weak ETag may have different bytes.
    if (!etag.empty() && !etag.starts_with("W/")) return etag;
    return response.header("last-modified");
}

void transfer(Client& client, const Settings& settings, const Wanted& wanted,
              const fs::path& place) {
    std::error_code error;
    fs::create_directories(place.parent_path(), error);
    if (error)
        throw Error(ErrorKind::io,
                    fmt::format("{}: cannot make this folder: {}",
                                in_quotes(place.parent_path().native()), error.message()));
    Incomplete incomplete(place);
    if (wanted.must_know_version && wanted.version.empty()) incomplete.restart();
    Transfer(settings, wanted, incomplete).run(client);
    if (const std::string wrong = wanted.check ? wanted.check(incomplete.path()) : "";
        !wrong.empty()) {
        incomplete.remove();
        throw Error(ErrorKind::io,
                    fmt::format("{}: {}; what was downloaded is removed, run it again",
                                wanted.title, wrong));
    }
    incomplete.become(place);
}

}  // namespace vit::hub
