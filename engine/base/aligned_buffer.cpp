#include "engine/base/aligned_buffer.h"

#include <sys/mman.h>

#include <cstdint>
#include <string>

#include "vit/error.h"

namespace vit::inline internal {

namespace {

constexpr std::size_t huge_page = std::size_t{2} << 20;

}  // namespace

AlignedBuffer::AlignedBuffer(std::size_t size) {
    if (size == 0) return;
    const std::size_t unit = size >= huge_page ? huge_page : 4096;
    const std::size_t rounded = (size + unit - 1) / unit * unit;
    if (rounded < size)
        throw Error(ErrorKind::memory, "buffer of " + std::to_string(size) + " bytes");
    // Maps one huge page more than needed and unmaps both ends, so that the range starts at a
    // multiple of a huge page. Only then can the kernel use huge pages.
    const std::size_t slack = unit == huge_page ? huge_page : 0;
    void* raw =
        mmap(nullptr, rounded + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (raw == MAP_FAILED)
        throw Error(ErrorKind::memory, "cannot allocate " + std::to_string(size) + " bytes");
    auto* begin = static_cast<std::byte*>(raw);
    if (slack != 0) {
        const std::size_t off = reinterpret_cast<std::uintptr_t>(begin) % huge_page;
        const std::size_t head = off == 0 ? 0 : huge_page - off;
        if (head != 0) munmap(begin, head);
        if (slack != head) munmap(begin + head + rounded, slack - head);
        begin += head;
        madvise(begin, rounded, MADV_HUGEPAGE);
    }
    data_ = std::unique_ptr<std::byte, detail::Unmap>(begin, detail::Unmap{rounded});
}

void detail::Unmap::operator()(std::byte* data) const noexcept {
    munmap(data, mapped);
}

}  // namespace vit::inline internal
