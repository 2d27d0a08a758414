// A regular file, mapped as a whole for reading or copied into memory.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace vit::inline internal {

/// copied: later changes of the file have no effect.
enum class Reading { mapped, copied };

/// Owns the bytes. Any number of threads may read them. A mapped file must not be changed or
/// truncated. Replacing it by rename is safe, because the mapping keeps the old file.
class MappedFile {
  public:
    /// Throws Error(io) with the path where it is missing, unreadable or not a regular file,
    /// Error(format) where it is empty, and Error(memory).
    explicit MappedFile(const std::filesystem::path& path, Reading reading = Reading::mapped);
    MappedFile(MappedFile&& other) noexcept;
    MappedFile& operator=(MappedFile&& other) noexcept;
    ~MappedFile();

    std::span<const std::byte> bytes() const noexcept { return bytes_; }

    /// Lets the kernel free the whole pages inside `part` (a part of bytes()). Reading them again
    /// loads them from the file. Does nothing to a copy.
    void release(std::span<const std::byte> part) const noexcept;

  private:
    std::span<const std::byte> bytes_;
    Reading reading_ = Reading::mapped;
};

}  // namespace vit::inline internal
