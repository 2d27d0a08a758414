// What the command line names, one image or tensor row at a time and in order.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/vit-infer/path_list.h"
#include "tools/vit-infer/tensor_rows.h"
#include "vit/image.h"

namespace vit::infer {

/// One input, to be given one record.
struct Input {
    std::string name;                  ///< for the record
    std::filesystem::path path;        ///< an image, where `rows` is empty
    std::shared_ptr<TensorRows> rows;  ///< a preprocessed tensor …
    std::int64_t row = 0;              ///< … and which of its images
    Image decoded;                     ///< not empty: the image at `path`, decoded ahead of time
    std::string error;                 ///< not empty: known to be bad already
    std::string warning;               ///< not empty: damage that the image was decoded in spite of
};

/// Expands files, folders (recursive, natural order, image extensions only; links to folders are
/// not followed), .npy files (a row each) and "-". Not thread-safe.
class InputSource {
  public:
    InputSource(std::vector<std::string> arguments, bool nul_separated);

    /// Empty at the end. Waits where a list on standard input has no next line yet.
    std::optional<Input> next();

    /// True when next() would not wait.
    bool ready();

  private:
    void expand(const std::string& name);

    std::deque<std::string> arguments_;
    std::deque<Input> found_;
    std::shared_ptr<TensorRows> rows_;  // being handed out row by row
    std::string rows_name_;
    std::int64_t next_row_ = 0;
    bool nul_separated_;
    std::optional<PathList> list_;  // standard input, while it is being read
};

}  // namespace vit::infer
