#include "tools/vit-infer/row_file.h"

#include <limits>
#include <string>
#include <vector>

#include "weights/readers/npy.h"

namespace vit::infer {

namespace {

// Bytes of the .npy header. It is padded so that any number of rows fits later.
constexpr std::size_t header_bytes = 192;

}  // namespace

RowFile::RowFile(const std::filesystem::path& path, Shape row_shape)
    : file_(path), shape_(std::move(row_shape)) {
    for (const std::int64_t extent : shape_) row_size_ *= static_cast<std::size_t>(extent);
    shape_.insert(shape_.begin(), 0);
    const std::string room(header_bytes, ' ');
    file_.write(std::as_bytes(std::span(room)));
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
