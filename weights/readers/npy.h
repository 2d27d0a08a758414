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

/// The contents of the header, which comes before the elements.
struct NpyHeader {
    DType dtype = DType::f32;
    bool fortran_order = false;
    bool big_endian = false;
    Shape shape;
    std::uint64_t header_bytes = 0;  ///< offset of the first element
    std::uint64_t data_bytes = 0;    ///< implied by dtype and shape
};

/// The longest header. So many bytes from the start of an array are enough for parse_npy_header.
inline constexpr std::size_t most_npy_header_bytes = 65'536;

/// Returns whether the bytes begin with the magic of an .npy file.
bool looks_like_npy(std::span<const std::byte> bytes) noexcept;

/// Reads a header of version 1.0, 2.0 or 3.0, which must have exactly the keys descr, fortran_order
/// and shape. Accepts f2, f4, f8, i8, i4, i2, i1, u1 and b1 in either byte order, and NumPy's names
/// ("float32"). `bytes` may end anywhere after the header. `where` names the array in messages.
/// Throws Error(format), Error(unsupported).
NpyHeader parse_npy_header(std::span<const std::byte> bytes, std::string_view where);

/// Returns whether the elements are little-endian and in row-major order, as the engine needs them.
inline bool is_plain(const NpyHeader& header) {
    return !header.fortran_order && !header.big_endian;
}
/// Returns the elements in that order. `header` gives the order in which they are stored.
void make_plain(const NpyHeader& header, std::vector<std::byte>& data);

/// Reads bytes that must be exactly one array. Throws Error(format), Error(unsupported).
NpyArray parse_npy(std::span<const std::byte> bytes, std::string_view where);
/// Reads a file. Throws Error(io), Error(format), Error(unsupported) with the name of the file.
NpyArray read_npy(const std::filesystem::path& path);

/// Returns the header, version 1.0, of a float32 array in C order. Its size is a multiple of 64
/// bytes, and at least `least_bytes`. Throws Error(usage) for more dimensions than a header holds.
std::string npy_header(const Shape& shape, std::size_t least_bytes = 0);

/// Writes a float32 array in C order, .npy version 1.0. The file appears only when it is complete.
/// The shape is known from the start; the elements are written in pieces.
class NpyWriter {
  public:
    /// Throws Error(usage) for an invalid shape, Error(io).
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

/// Writes the whole array at once. Throws what NpyWriter throws.
void write_npy(const std::filesystem::path& path, const Shape& shape,
               std::span<const float> values);

}  // namespace vit::inline internal
