// Where records go: standard output as they come, or a file that appears whole or not at all.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "engine/model/atomic_file.h"

namespace vit::infer {

/// Thrown when the reader of standard output has gone (`| head`): nothing to complain about.
struct ReaderGone {};

class Sink {
  public:
    /// Empty `path`: standard output. A path that is a device or pipe is written directly.
    /// Throws Error(io).
    explicit Sink(std::filesystem::path path);
    Sink(const Sink&) = delete;
    Sink& operator=(const Sink&) = delete;
    ~Sink();

    /// Hands `text` to the system at once. Throws Error(io), ReaderGone.
    void write(std::string_view text);

    /// Makes the file appear. Throws Error(io).
    void commit();

  private:
    std::filesystem::path path_;
    int fd_ = -1;  // used where file_ is empty
    std::unique_ptr<AtomicFile> file_;
};

}  // namespace vit::infer
