#include "engine/model/mapped_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

#include "engine/base/checked.h"
#include "engine/base/text.h"
#include "vit/error.h"

namespace vit::inline internal {

namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what) {
    throw Error(ErrorKind::io, fmt::format("{}: {}", in_quotes(path.native()), what));
}

std::string reason(int error) {
    return std::generic_category().message(error);
}

void read_all(int fd, std::byte* to, std::size_t size, const std::filesystem::path& path) {
    for (std::size_t done = 0; done < size;) {
        const ssize_t count = ::read(fd, to + done, size - done);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail(path, "cannot read: " + reason(errno));
        if (count == 0) fail(path, "the file became shorter while it was read");
        done += static_cast<std::size_t>(count);
    }
}

struct Descriptor {
    int fd;
    ~Descriptor() { ::close(fd); }
};

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path, Reading reading) : reading_(reading) {
    // O_NONBLOCK: opening a FIFO must not wait for a writer. It has no effect on regular files.
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) fail(path, "cannot open for reading: " + reason(errno));
    const Descriptor descriptor{fd};
    struct stat status {};
    if (::fstat(fd, &status) != 0) fail(path, "cannot read its size: " + reason(errno));
    if (S_ISDIR(status.st_mode)) fail(path, "expected a file, found a folder");
    if (!S_ISREG(status.st_mode))
        fail(path, "expected a regular file, found a device, pipe or socket");
    if (status.st_size <= 0)  // an empty file is a truncated file
        throw Error(ErrorKind::format, in_quotes(path.native()) + ": the file is empty");
    const std::size_t size =
        checked::to_size(static_cast<std::uint64_t>(status.st_size), in_quotes(path.native()));
    const bool copy = reading == Reading::copied;
    void* address =
        copy ? ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
             : ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (address == MAP_FAILED && errno == ENOMEM)
        throw Error(ErrorKind::memory, fmt::format("{}: not enough memory to map {} bytes",
                                                   in_quotes(path.native()), size));
    if (address == MAP_FAILED)
        fail(path, fmt::format("cannot map {} bytes: {}", size, reason(errno)));
    bytes_ = {static_cast<const std::byte*>(address), size};
    if (!copy) return;
    try {
        read_all(fd, static_cast<std::byte*>(address), size, path);
    } catch (...) {
        ::munmap(address, size);
        throw;
    }
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : bytes_(std::exchange(other.bytes_, {})), reading_(other.reading_) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(reading_, other.reading_);
    return *this;
}

MappedFile::~MappedFile() {
    if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

void MappedFile::release(std::span<const std::byte> part) const noexcept {
    if (reading_ == Reading::copied) return;
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    const auto begin = reinterpret_cast<std::uintptr_t>(part.data());
    const auto first = (begin + page - 1) / page * page;
    const auto last = (begin + part.size()) / page * page;
    // This is only advice to the kernel: a failure costs memory, not correctness.
    if (first < last) ::madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

}  // namespace vit::inline internal
