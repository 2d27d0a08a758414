#include "tools/vit-infer/part_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
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

namespace vit::infer {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void fail(const fs::path& path, std::string_view what) {
    throw Error(ErrorKind::io, fmt::format("{}: {}: {}", in_quotes(path.native()), what,
                                           std::generic_category().message(errno)));
}

/// TARGET.part; the end of a very long name is left out, so that the file system accepts it.
fs::path part_of(const fs::path& target) {
    constexpr std::string_view ending = ".part";
    constexpr std::size_t longest_name = 255;
    std::string name = target.filename().native().substr(0, longest_name - ending.size());
    return target.parent_path() / name.append(ending);
}

/// Closes the file if the constructor throws.
struct Descriptor {
    int fd;
    ~Descriptor() {
        if (fd >= 0) ::close(fd);
    }
};

}  // namespace

bool is_complete(const fs::path& target) {
    std::error_code error;
    return fs::exists(target, error) && !fs::exists(part_of(target), error);
}

PartFile::PartFile(fs::path target, Begin begin)
    : target_(std::move(target)), path_(part_of(target_)) {
    struct stat status {};
    if (::stat(target_.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
        throw Error(ErrorKind::io,
                    fmt::format("{}: expected a file name to write, found a folder or device",
                                in_quotes(target_.native())));
    if (!target_.has_filename()) {
        errno = ENOENT;
        fail(target_, "cannot write");
    }
    Descriptor file{::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)};
    if (file.fd < 0) fail(path_, "cannot create the file");
    if (::flock(file.fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        throw Error(ErrorKind::io, fmt::format("{}: another process is writing this file; wait for "
                                               "it, or name another output",
                                               in_quotes(path_.native())));
    if (::fstat(file.fd, &status) != 0) fail(path_, "cannot read its size");
    if (begin == Begin::anew && status.st_size > 0)
        throw Error(ErrorKind::usage,
                    fmt::format("{}: an earlier run was interrupted and left this file; continue "
                                "it with --resume, or remove the file",
                                in_quotes(path_.native())));
    fd_ = std::exchange(file.fd, -1);
    size_ = static_cast<std::uint64_t>(status.st_size);
    keeps_ = size_ > 0;
}

PartFile::~PartFile() {
    if (fd_ < 0) return;
    ::close(fd_);
    if (!keeps_) ::unlink(path_.c_str());
}

void PartFile::write(std::span<const std::byte> bytes) {
    overwrite(size_, bytes);
}

void PartFile::overwrite(std::uint64_t offset, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        constexpr std::size_t largest_write = std::size_t{1} << 30;  // a call writes at most 2 GiB
        const ssize_t count = ::pwrite(fd_, bytes.data(), std::min(bytes.size(), largest_write),
                                       static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail(path_, "cannot write");
        bytes = bytes.subspan(static_cast<std::size_t>(count));
        offset += static_cast<std::uint64_t>(count);
        size_ = std::max(size_, offset);
    }
}

void PartFile::read(std::uint64_t offset, std::span<std::byte> out) const {
    while (!out.empty()) {
        const ssize_t count = ::pread(fd_, out.data(), out.size(), static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) fail(path_, "cannot read");
        out = out.subspan(static_cast<std::size_t>(count));
        offset += static_cast<std::uint64_t>(count);
    }
}

void PartFile::truncate(std::uint64_t size) {
    if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) fail(path_, "cannot shorten the file");
    size_ = size;
}

void PartFile::commit() {
    if (::fsync(fd_) != 0) fail(path_, "cannot write to disk");
    if (::rename(path_.c_str(), target_.c_str()) != 0) fail(target_, "cannot rename into place");
    ::close(std::exchange(fd_, -1));
    const fs::path folder = target_.has_parent_path() ? target_.parent_path() : fs::path(".");
    const int opened = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (opened < 0) return;  // the folder can be written but not read; the file itself is safe
    const int error = ::fsync(opened) == 0 ? 0 : errno;
    ::close(opened);
    errno = error;
    if (error != 0 && error != EINVAL) fail(target_, "cannot write its folder to disk");
}

}  // namespace vit::infer
