// The destination of records: standard output as they come, or a file that appears only when it is
// complete.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "tools/vit-infer/part_file.h"

namespace vit::infer {

/// Thrown when the reader of standard output has closed it, as `head` does. This is not an error.
struct ReaderGone {};

class Sink {
  public:
    /// An empty `path` means standard output. A device or pipe is written directly.
    /// Throws Error(io), Error(usage).
    explicit Sink(std::filesystem::path path, PartFile::Begin begin = PartFile::Begin::anew);
    Sink(const Sink&) = delete;
    Sink& operator=(const Sink&) = delete;
    ~Sink();

    /// Hands `text` to the system at once. Throws Error(io), ReaderGone.
    void write(std::string_view text);

    /// Makes the finished file appear. Throws Error(io).
    void commit();

    /// The unfinished file; nullptr where records go to standard output, a device or a pipe.
    PartFile* file() { return file_.get(); }

  private:
    std::filesystem::path path_;
    int fd_ = -1;  // used if file_ is empty
    std::unique_ptr<PartFile> file_;
};

}  // namespace vit::infer
