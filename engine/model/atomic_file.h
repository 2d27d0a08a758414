// A file that appears whole or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace vit::inline internal {

/// Writes to a temporary file in the target's folder; commit() makes it the target. Destroyed
/// without commit(), it removes the temporary file and leaves the target as it was. Where the file
/// system has files without a name (O_TMPFILE), the temporary file is one until commit(), so that
/// even a killed process leaves nothing. Every function throws Error(io) naming the target.
class AtomicFile {
  public:
    /// Refuses a target that exists and is no regular file (a folder, /dev/null, …).
    explicit AtomicFile(std::filesystem::path target);
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;
    ~AtomicFile();

    void write(std::span<const std::byte> bytes);

    /// Replaces bytes that were written already; write() goes on at the end.
    void overwrite(std::uint64_t offset, std::span<const std::byte> bytes);

    /// fsync, rename over the target, fsync of the folder.
    void commit();

  private:
    /// Calls make(path) with new names in the folder until one is free; `temporary_` becomes it.
    template <class Make>
    void make_temporary(Make&& make);

    std::filesystem::path target_;
    std::filesystem::path folder_;
    std::filesystem::path temporary_;  ///< empty: the file has no name yet
    int fd_ = -1;
    bool renamed_ = false;
};

}  // namespace vit::inline internal
