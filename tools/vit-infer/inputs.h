// Lists the inputs from the command line in order, one image or tensor row at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tools/vit-infer/path_list.h"
#include "tools/vit-infer/tensor_rows.h"
#include "vit/image.h"

namespace vit::infer {

/// One input. It gets one record in the output.
struct Input {
    std::string name;                  ///< name in the record
    std::filesystem::path path;        ///< the file: an image, or the array of `rows`
    std::shared_ptr<TensorRows> rows;  ///< a file of preprocessed images …
    std::int64_t row = 0;              ///< … and the index of one of them
    Image decoded;                     ///< if not empty: the image at `path`, decoded ahead of time
    std::string error;                 ///< if not empty: why this input has already failed
    std::string warning;               ///< if not empty: damage that did not stop the decoder
};

/// Expands files, folders (recursive, natural order, only image extensions, links to folders are
/// not followed), .npy files (one input per row) and "-". Not thread-safe.
class InputSource {
  public:
    InputSource(std::vector<std::string> arguments, bool nul_separated);

    /// Image files only. The files must outlive this object.
    explicit InputSource(std::span<const std::string> files) : files_(files) {}

    /// The next input; empty at the end. Waits while a list on standard input has no complete line
    /// yet.
    std::optional<Input> next();

    /// True if next() would return without waiting.
    bool ready();

  private:
    void expand(const std::string& name);

    std::span<const std::string> files_;
    std::deque<std::string> arguments_;
    std::deque<Input> found_;
    std::shared_ptr<TensorRows> rows_;  // the .npy file whose rows next() returns now
    std::string rows_name_;
    std::int64_t next_row_ = 0;
    bool nul_separated_ = false;
    std::optional<PathList> list_;  // the list on standard input, while it is read
};

}  // namespace vit::infer
