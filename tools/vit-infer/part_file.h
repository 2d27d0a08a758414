// An output that is kept if the run ends early, so that a later run can go on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace vit::infer {

/// Whether TARGET is there and TARGET.part is not: a run that wrote it has ended well.
bool is_complete(const std::filesystem::path& target);

/// Writes to TARGET.part. commit() renames it to TARGET, which so appears whole or not at all.
/// Without commit(), TARGET.part stays if keep() was called, or if it was there before. Use it from
/// one thread at a time. Every function throws Error(io) with the file's name.
class PartFile {
  public:
    enum class Begin { anew, resumed };

    /// Begin::anew throws Error(usage) where TARGET.part already holds something: it may be the
    /// work of hours. Begin::resumed opens it, or creates it if there is none. Both throw where
    /// another process is writing it.
    PartFile(std::filesystem::path target, Begin begin);
    PartFile(const PartFile&) = delete;
    PartFile& operator=(const PartFile&) = delete;
    ~PartFile();

    const std::filesystem::path& path() const { return path_; }
    std::uint64_t size() const { return size_; }

    /// Appends.
    void write(std::span<const std::byte> bytes);
    void overwrite(std::uint64_t offset, std::span<const std::byte> bytes);
    /// Reads bytes that exist.
    void read(std::uint64_t offset, std::span<std::byte> out) const;
    /// From now on the file stays if the run ends early.
    void keep() { keeps_ = true; }
    /// Forgets what follows the first `size` bytes.
    void truncate(std::uint64_t size);
    /// Also calls fsync.
    void commit();

  private:
    std::filesystem::path target_, path_;
    int fd_ = -1;
    std::uint64_t size_ = 0;
    bool keeps_ = false;
};

}  // namespace vit::infer
