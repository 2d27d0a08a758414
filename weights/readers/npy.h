// NumPy's .npy files: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/atomic_file.h"
#include "engine/model/tensor.h"

namespace vit::inline internal {

/// An array that owns its elements, row-major.
struct NpyArray {
    std::string name;  ///< of the file or archive member, without ".npy"
    DType dtype = DType::f32;
    Shape shape;
    std::vector<std::byte> data;

    TensorView view() const { return {name, dtype, shape, data}; }
};

/// What comes before the elements.
struct NpyHeader {
    DType dtype = DType::f32;
    bool fortran_order = false;
    bool big_endian = false;
    Shape shape;
    std::uint64_t header_bytes = 0;  ///< offset of the first element
    std::uint64_t data_bytes = 0;    ///< implied by dtype and shape
};

/// No header is longer: enough of an array's beginning for parse_npy_header.
inline constexpr std::size_t most_npy_header_bytes = 65'536;

/// True when the bytes begin as an .npy file does.
bool looks_like_npy(std::span<const std::byte> bytes) noexcept;

/// Versions 1.0, 2.0 and 3.0; exactly descr, fortran_order and shape; f2, f4, f8, i8, i4, i2, i1,
/// u1 and b1 of either order of bytes, also by NumPy's names ("float32"). `bytes` may end anywhere
/// after the header. `where` names the array in messages. Throws Error(format), Error(unsupported).
NpyHeader parse_npy_header(std::span<const std::byte> bytes, std::string_view where);

/// True when the elements lie as the engine wants them: little-endian and in row-major order.
inline bool is_plain(const NpyHeader& header) {
    return !header.fortran_order && !header.big_endian;
}
/// Elements brought into that order; `header` says which one they have.
void make_plain(const NpyHeader& header, std::vector<std::byte>& data);

/// Exactly one array. Throws Error(format), Error(unsupported).
NpyArray parse_npy(std::span<const std::byte> bytes, std::string_view where);
/// Throws Error(io), Error(format), Error(unsupported) naming the file.
NpyArray read_npy(const std::filesystem::path& path);

/// The header, version 1.0, of a float32 array in C order: a multiple of 64 bytes, and
/// `least_bytes` or more. Throws Error(usage) for more dimensions than a header holds.
std::string npy_header(const Shape& shape, std::size_t least_bytes = 0);

/// A float32 array in C order, .npy version 1.0, that appears whole or not at all. Its shape is
/// known from the start, its elements come in pieces.
class NpyWriter {
  public:
    /// Throws Error(usage) for a shape that makes no sense, Error(io).
    NpyWriter(const std::filesystem::path& path, const Shape& shape);
    /// Throws Error(usage) when there are more values than the shape holds, Error(io).
    void write(std::span<const float> values);
    /// Throws Error(usage) when values are missing, Error(io).
    void commit();

  private:
    std::filesystem::path path_;
    AtomicFile file_;
    std::uint64_t missing_ = 0;
};

/// Writes all at once. Throws as NpyWriter does.
void write_npy(const std::filesystem::path& path, const Shape& shape,
               std::span<const float> values);

}  // namespace vit::inline internal
