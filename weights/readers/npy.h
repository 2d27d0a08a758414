// Reads and writes NumPy's .npy files:
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
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

/// An array that owns its elements, in row-major order.
struct NpyArray {
    std::string name;  ///< of the file or archive member, without its ending; empty from parse_npy
    DType dtype = DType::f32;
    Shape shape;
    std::vector<std::byte> data;

    TensorView view() const { return {name, dtype, shape, data}; }
};

/// The part of an array before its elements.
struct NpyHeader {
    DType dtype = DType::f32;
    bool fortran_order = false;
    bool big_endian = false;
    Shape shape;
    std::uint64_t header_bytes = 0;  ///< offset of the first element
    std::uint64_t data_bytes = 0;    ///< follows from dtype and shape
};

/// The size of the longest header that is accepted. parse_npy_header reads no bytes after it.
inline constexpr std::size_t most_npy_header_bytes = 65'536;

/// True when the bytes begin with the magic string of .npy files.
bool looks_like_npy(std::span<const std::byte> bytes) noexcept;

/// Parses a header of version 1.0, 2.0 or 3.0. It must have the keys descr, fortran_order and
/// shape, and no others, and at most 8 dimensions. Supported element types are f2, f4, f8, i8, i4,
/// i2, i1, u1 and b1 in both byte orders, also under NumPy's names ("float32"). `bytes` may end
/// anywhere after the header. `where` names the array in messages. Throws Error(format), and
/// Error(unsupported) for other versions and element types.
NpyHeader parse_npy_header(std::span<const std::byte> bytes, std::string_view where);

/// True when the elements are stored as the engine needs them: little-endian, in row-major order.
inline bool is_plain(const NpyHeader& header) {
    return !header.fortran_order && !header.big_endian;
}
/// Changes `data` to that order. `header` describes the elements before the call.
void make_plain(const NpyHeader& header, std::vector<std::byte>& data);

/// Parses bytes that are exactly one array. Throws as parse_npy_header does.
NpyArray parse_npy(std::span<const std::byte> bytes, std::string_view where);
/// Reads a file with one array. Throws Error(io), Error(format), Error(unsupported) with the file's
/// name.
NpyArray read_npy(const std::filesystem::path& path);

/// The header of version 1.0 for a float32 array in row-major order. Its size is a multiple of 64
/// bytes and at least `least_bytes`. Throws Error(usage) where the dimensions do not fit into a
/// header.
std::string npy_header(const Shape& shape, std::size_t least_bytes = 0);

/// Writes a float32 array in row-major order as an .npy file of version 1.0. The file appears only
/// on commit(). The shape must be known at the start; the elements may come in pieces. Use it from
/// one thread at a time.
class NpyWriter {
  public:
    /// Throws Error(usage) for an invalid shape, Error(io).
    NpyWriter(const std::filesystem::path& path, const Shape& shape);
    /// Appends `values`. Throws Error(usage) where they are more than the shape has left,
    /// Error(io).
    void write(std::span<const float> values);
    /// Makes the file appear under its name. Throws Error(usage) where values are missing,
    /// Error(io).
    void commit();

  private:
    std::filesystem::path path_;
    AtomicFile file_;
    std::uint64_t missing_ = 0;
};

/// Writes all values at once. Throws as NpyWriter does.
void write_npy(const std::filesystem::path& path, const Shape& shape,
               std::span<const float> values);

}  // namespace vit::inline internal
