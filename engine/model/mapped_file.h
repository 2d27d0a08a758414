// A whole regular file mapped for reading.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace vit::inline internal {

/// Owns the mapping. The bytes may be read by any number of threads. The file must not be truncated
/// while it is mapped (replacing it by rename is fine: the mapping keeps the old file).
class MappedFile {
  public:
    /// Throws Error(io) naming the path when it is missing, unreadable or no regular file,
    /// Error(format) when it is empty.
    explicit MappedFile(const std::filesystem::path& path);
    MappedFile(MappedFile&& other) noexcept;
    MappedFile& operator=(MappedFile&& other) noexcept;
    ~MappedFile();

    std::span<const std::byte> bytes() const noexcept { return bytes_; }

    /// Lets the kernel take back the whole pages that lie inside `part` (a part of bytes()).
    /// Reading them again brings them back from the file.
    void release(std::span<const std::byte> part) const noexcept;

  private:
    std::span<const std::byte> bytes_;
};

}  // namespace vit::inline internal
