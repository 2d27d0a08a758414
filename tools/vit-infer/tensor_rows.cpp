#include "tools/vit-infer/tensor_rows.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <system_error>
#include <utility>
#include <vector>

#include "engine/base/text.h"
#include "vit/error.h"
#include "weights/readers/npy.h"
#include "weights/readers/strided.h"

namespace vit::infer {

namespace {

/// Reads until `out` is full or the file ends. Returns the number of bytes, or a negative number on
/// an error (errno).
ssize_t read_at(int fd, std::span<std::byte> out, std::uint64_t offset) {
    std::size_t done = 0;
    while (done < out.size()) {
        const ssize_t count =
            ::pread(fd, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return count;
        if (count == 0) break;
        done += static_cast<std::size_t>(count);
    }
    return static_cast<ssize_t>(done);
}

[[noreturn]] void fail_to_read(const std::filesystem::path& path) {
    throw Error(ErrorKind::io, fmt::format("{}: cannot read: {}", in_quotes(path.native()),
                                           std::generic_category().message(errno)));
}

/// Closes the file if the constructor throws.
struct Descriptor {
    int fd;
    ~Descriptor() {
        if (fd >= 0) ::close(fd);
    }
};

}  // namespace

TensorRows::TensorRows(std::filesystem::path path) : path_(std::move(path)) {
    Descriptor file{::open(path_.c_str(), O_RDONLY | O_CLOEXEC)};
    if (file.fd < 0) fail_to_read(path_);
    struct stat status {};
    if (::fstat(file.fd, &status) != 0) fail_to_read(path_);
    std::vector<std::byte> beginning(most_npy_header_bytes);
    const ssize_t count = read_at(file.fd, beginning, 0);
    if (count < 0) fail_to_read(path_);
    beginning.resize(static_cast<std::size_t>(count));
    const NpyHeader header = parse_npy_header(beginning, in_quotes(path_.native()));
    const bool is_float =
        header.dtype == DType::f16 || header.dtype == DType::f32 || header.dtype == DType::f64;
    const std::size_t dimensions = header.shape.size();
    if (!is_float || header.fortran_order || dimensions < 3 || dimensions > 4 ||
        header.shape[0] < 1)
        throw Error(
            ErrorKind::input,
            fmt::format("{}: expected preprocessed images, float32 (or float16, float64) [N, "
                        "channels, height, width] or [channels, height, width] in C order, found "
                        "{} {}{}",
                        in_quotes(path_.native()), dtype_name(header.dtype),
                        to_string(header.shape), header.fortran_order ? " in Fortran order" : ""));
    const auto size = static_cast<std::uint64_t>(status.st_size);
    if (size < header.header_bytes || size - header.header_bytes != header.data_bytes)
        throw Error(ErrorKind::format,
                    fmt::format("{}: expected {} bytes after the header, found {}",
                                in_quotes(path_.native()), header.data_bytes,
                                size - std::min(size, header.header_bytes)));
    shape_ = header.shape;
    is_single_ = dimensions == 3;
    if (is_single_) shape_.insert(shape_.begin(), 1);
    dtype_ = header.dtype;
    data_offset_ = header.header_bytes;
    big_endian_ = header.big_endian;
    fd_ = std::exchange(file.fd, -1);
}

TensorRows::~TensorRows() {
    ::close(fd_);
}

void TensorRows::read(std::int64_t row, const Shape& image_shape, std::span<float> out) const {
    if (!std::equal(image_shape.begin(), image_shape.end(), shape_.begin() + 1, shape_.end()))
        throw Error(ErrorKind::input,
                    fmt::format("{}: expected images of {}, found {}", in_quotes(path_.native()),
                                to_string(image_shape),
                                to_string(Shape(shape_.begin() + 1, shape_.end()))));
    std::vector<std::byte> converted;  // the elements as they are in the file
    if (dtype_ != DType::f32) converted.resize(out.size() * item_size(dtype_));
    const std::span<std::byte> bytes =
        dtype_ == DType::f32 ? std::as_writable_bytes(out) : std::span(converted);
    const ssize_t count =
        read_at(fd_, bytes, data_offset_ + static_cast<std::uint64_t>(row) * bytes.size());
    if (count < 0) fail_to_read(path_);
    if (static_cast<std::size_t>(count) != bytes.size())
        throw Error(ErrorKind::io,
                    fmt::format("{}: ended early, in image {}", in_quotes(path_.native()), row));
    if (big_endian_) swap_bytes(bytes, item_size(dtype_));
    if (dtype_ != DType::f32) to_f32({path_.native(), dtype_, image_shape, bytes}, out);
    if (!std::all_of(out.begin(), out.end(), [](float x) { return std::isfinite(x); }))
        throw Error(ErrorKind::input, fmt::format("{}: image {} holds NaN or infinity",
                                                  in_quotes(path_.native()), row));
}

}  // namespace vit::infer
