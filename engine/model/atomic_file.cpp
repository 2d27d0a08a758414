#include "engine/model/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "engine/base/text.h"
#include "vit/error.h"

namespace vit::inline internal {

namespace {

constexpr std::size_t largest_write = std::size_t{1} << 30;  // a call writes at most 2 GiB

[[noreturn]] void fail(const std::filesystem::path& target, std::string_view what, int error) {
    throw Error(ErrorKind::io, fmt::format("{}: {}: {}", in_quotes(target.native()), what,
                                           std::generic_category().message(error)));
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path target) : target_(std::move(target)) {
    struct stat status {};
    if (::stat(target_.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
        throw Error(ErrorKind::io,
                    fmt::format("{}: expected a file name to write, found a folder or device",
                                in_quotes(target_.native())));
    if (!target_.has_filename()) fail(target_, "cannot write", ENOENT);
    folder_ = target_.has_parent_path() ? target_.parent_path() : std::filesystem::path(".");
    fd_ = ::open(folder_.c_str(), O_WRONLY | O_TMPFILE | O_CLOEXEC, 0666);
    if (fd_ >= 0) return;
    make_temporary([this](const char* path) {
        fd_ = ::open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        return fd_ >= 0;
    });
}

template <class Make>
void AtomicFile::make_temporary(Make&& make) {
    for (int attempt = 0;; ++attempt) {
        // The name is short, so that it works beside a target whose name has the longest allowed
        // length.
        std::filesystem::path path = folder_ / fmt::format(".vit-{}-{}.tmp", ::getpid(), attempt);
        if (make(path.c_str())) {
            temporary_ = std::move(path);
            return;
        }
        if (errno != EEXIST || attempt == 10'000)
            fail(target_, "cannot create a file in its folder", errno);
    }
}

AtomicFile::~AtomicFile() {
    if (fd_ >= 0) ::close(fd_);
    if (!renamed_ && !temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(fd_, bytes.data(), std::min(bytes.size(), largest_write));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail(target_, "cannot write", errno);
        bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
}

void AtomicFile::overwrite(std::uint64_t offset, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::pwrite(fd_, bytes.data(), std::min(bytes.size(), largest_write),
                                       static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail(target_, "cannot write", errno);
        bytes = bytes.subspan(static_cast<std::size_t>(count));
        offset += static_cast<std::uint64_t>(count);
    }
}

void AtomicFile::commit() {
    if (::fsync(fd_) != 0) fail(target_, "cannot write to disk", errno);
    if (temporary_.empty()) {
        const std::string self = fmt::format("/proc/self/fd/{}", fd_);
        make_temporary([&](const char* path) {
            return ::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0;
        });
    }
    if (::close(std::exchange(fd_, -1)) != 0) fail(target_, "cannot close", errno);
    if (::rename(temporary_.c_str(), target_.c_str()) != 0)
        fail(target_, "cannot rename into place", errno);
    renamed_ = true;
    const int folder = ::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return;  // the folder can be written but not read; the file itself is safe
    const int error = ::fsync(folder) == 0 ? 0 : errno;
    ::close(folder);
    if (error != 0 && error != EINVAL) fail(target_, "cannot write its folder to disk", error);
}

}  // namespace vit::inline internal
