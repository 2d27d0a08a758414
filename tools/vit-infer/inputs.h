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

#include "tools/common/image_files.h"
#include "tools/vit-infer/options.h"
#include "tools/vit-infer/path_list.h"
#include "tools/vit-infer/tar_images.h"
#include "tools/vit-infer/tensor_rows.h"
#include "vit/image.h"

namespace vit::infer {

/// One input. It gets one record in the output.
struct Input {
    std::string name;                  ///< name in the record
    std::filesystem::path path;        ///< the file: an image, the array of `rows`, or a .tar
    std::shared_ptr<TensorRows> rows;  ///< a file of preprocessed images …
    std::int64_t row = 0;              ///< … and the index of one of them
    std::string member;                ///< if not empty: the name of the image inside of `path`
    std::vector<std::byte> bytes;      ///< if not empty: that image
    Image decoded;                     ///< if not empty: the image at `path`, decoded ahead of time
    std::string error;                 ///< if not empty: why this input has already failed
    std::string warning;               ///< if not empty: damage that did not stop the decoder
};

/// Expands files, folders (recursive, natural order, only image extensions, links to folders are
/// not followed), .tar files (one input per image), .npy files (one input per row) and "-". Returns
/// only the inputs of one shard. Not thread-safe.
class InputSource {
  public:
    InputSource(std::vector<std::string> arguments, bool nul_separated, Shard shard);

    /// Image files only. The files must outlive this object.
    explicit InputSource(std::span<const std::string> files) : files_(files) {}

    /// The next input; empty at the end. Waits while a list on standard input has no complete line
    /// yet.
    std::optional<Input> next();

    /// True if next() would return without waiting.
    bool ready();

    /// The number of inputs that next() will still return. Nothing where a list on standard input
    /// or a .tar file is among them: their lengths are not known.
    std::optional<std::int64_t> total() const;

    /// Images of other formats in folders so far, which were left out, and the first of them.
    std::int64_t left_out() const { return left_out_; }
    const std::filesystem::path& first_left_out() const { return first_left_out_; }

  private:
    void expand(const std::string& name);
    std::optional<tools::ImageFile> next_of_walk();
    bool find_file();
    std::optional<Input> next_of_all();
    std::optional<Input> next_of_tar();
    Input next_row();

    std::span<const std::string> files_;
    std::deque<std::string> arguments_;
    std::optional<tools::ImageFile> file_;  // the one that is next
    std::optional<tools::ImageWalk> walk_;  // the folder from which file_ comes
    std::string walk_name_;
    bool walk_is_empty_ = true;         // so far
    std::shared_ptr<TensorRows> rows_;  // the .npy file whose rows next() returns now
    std::string rows_name_;
    std::int64_t next_row_ = 0;
    std::unique_ptr<TarImages> tar_;  // the .tar file whose images next() returns now
    std::filesystem::path tar_path_;
    bool nul_separated_ = false;
    Shard shard_;
    std::int64_t taken_ = 0;  // inputs so far, of all shards
    std::int64_t left_out_ = 0;
    std::filesystem::path first_left_out_;
    std::optional<PathList> list_;  // the list on standard input, while it is read
};

}  // namespace vit::infer
