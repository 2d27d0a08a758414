// A whole regular file mapped for reading, or copied into memory.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace vit::inline internal {

/// copied: what happens to the file afterwards does not matter.
enum class Reading { mapped, copied };

/// Owns the bytes, which any number of threads may read. A mapped file must not be changed or
/// truncated (replacing it by rename is fine: the mapping keeps the old file).
class MappedFile {
  public:
    /// Throws Error(io) naming the path when it is missing, unreadable or no regular file,
    /// Error(format) when it is empty, Error(memory).
    explicit MappedFile(const std::filesystem::path& path, Reading reading = Reading::mapped);
    MappedFile(MappedFile&& other) noexcept;
    MappedFile& operator=(MappedFile&& other) noexcept;
    ~MappedFile();

    std::span<const std::byte> bytes() const noexcept { return bytes_; }

    /// Lets the kernel take back the whole pages that lie inside `part` (a part of bytes()).
    /// Reading them again brings them back from the file. Does nothing to a copy.
    void release(std::span<const std::byte> part) const noexcept;

  private:
    std::span<const std::byte> bytes_;
    Reading reading_ = Reading::mapped;
};

}  // namespace vit::inline internal
