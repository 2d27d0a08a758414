#include "tools/vit-infer/row_file.h"

#include <fmt/format.h>

#include <limits>
#include <string>
#include <vector>

#include "engine/base/text.h"
#include "vit/error.h"
#include "weights/readers/npy.h"

namespace vit::infer {

namespace {

// Bytes of the .npy header. It is padded so that any number of rows fits later.
constexpr std::size_t header_bytes = 192;

}  // namespace

RowFile::RowFile(const std::filesystem::path& path, Shape row_shape, PartFile::Begin begin)
    : file_(path, begin), shape_(std::move(row_shape)) {
    for (const std::int64_t extent : shape_) row_size_ *= static_cast<std::size_t>(extent);
    shape_.insert(shape_.begin(), 0);
    const std::string header = npy_header(shape_, header_bytes);
    if (file_.size() < header_bytes) {
        file_.overwrite(0, std::as_bytes(std::span(header)));
        return;
    }
    std::string found(header_bytes, ' ');
    file_.read(0, std::as_writable_bytes(std::span(found)));
    if (found != header)
        throw Error(ErrorKind::input,
                    fmt::format("{}: expected rows of {}, found those of another model or option; "
                                "remove the file, and begin anew without --resume",
                                in_quotes(file_.path().native()),
                                to_string(Shape(shape_.begin() + 1, shape_.end()))));
    keep_rows(
        static_cast<std::int64_t>((file_.size() - header_bytes) / (row_size_ * sizeof(float))));
}

void RowFile::keep_rows(std::int64_t rows) {
    shape_[0] = rows;
    file_.truncate(header_bytes + static_cast<std::uint64_t>(rows) * row_size_ * sizeof(float));
}

void RowFile::write(std::span<const float> rows) {
    file_.write(std::as_bytes(rows));
    shape_[0] += static_cast<std::int64_t>(rows.size() / row_size_);
}

void RowFile::write_missing() {
    write(std::vector<float>(row_size_, std::numeric_limits<float>::quiet_NaN()));
}

void RowFile::commit() {
    const std::string header = npy_header(shape_, header_bytes);
    file_.overwrite(0, std::as_bytes(std::span(header)));
    file_.commit();
}

}  // namespace vit::infer
