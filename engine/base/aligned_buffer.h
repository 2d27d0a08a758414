// Memory that is aligned to cache lines and starts as zeros.
#pragma once

#include <cstddef>
#include <memory>

namespace vit::inline internal {

namespace detail {
struct Unmap {
    std::size_t mapped = 0;
    void operator()(std::byte* data) const noexcept;
};
}  // namespace detail

/// Owns `size` bytes at an address that is a multiple of 64. Large buffers request huge pages,
/// because writing to them the first time is then several times faster. Throws Error(memory).
class AlignedBuffer {
  public:
    AlignedBuffer() = default;
    explicit AlignedBuffer(std::size_t size);

    std::byte* data() const { return data_.get(); }
    float* floats() const { return reinterpret_cast<float*>(data_.get()); }

  private:
    std::unique_ptr<std::byte, detail::Unmap> data_;
};

}  // namespace vit::inline internal
