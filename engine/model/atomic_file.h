// A file that appears completely or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace vit::inline internal {

/// Writes to a temporary file in the target's folder; commit() turns it into the target. Without
/// commit(), the destructor removes the temporary file, and the target stays as it was. Where the
/// file system supports files without a name (O_TMPFILE), the temporary file has no name until
/// commit(). Then even a killed process leaves no file behind. Every function throws Error(io) with
/// the name of the target.
class AtomicFile {
  public:
    /// Refuses a target that exists and is not a regular file (a folder, /dev/null, …).
    explicit AtomicFile(std::filesystem::path target);
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;
    ~AtomicFile();

    void write(std::span<const std::byte> bytes);

    /// Replaces bytes that were already written. write() still appends at the end.
    void overwrite(std::uint64_t offset, std::span<const std::byte> bytes);

    /// Calls fsync, renames the file over the target, and calls fsync on the folder.
    void commit();

  private:
    /// Calls make(path) with new names in the folder until one is free. Stores that name in
    /// `temporary_`.
    template <class Make>
    void make_temporary(Make&& make);

    std::filesystem::path target_;
    std::filesystem::path folder_;
    std::filesystem::path temporary_;  ///< empty: the file has no name yet
    int fd_ = -1;
    bool renamed_ = false;
};

}  // namespace vit::inline internal
