#include "engine/base/checked.h"

#include <limits>
#include <new>
#include <stdexcept>
#include <string>

#include "vit/error.h"

namespace vit::inline internal::checked {

namespace {

[[noreturn]] void overflow(std::string_view what) {
    throw Error(ErrorKind::format, std::string(what) + ": size does not fit in 64 bits");
}

}  // namespace

std::uint64_t add(std::uint64_t a, std::uint64_t b, std::string_view what) {
    std::uint64_t sum = 0;
    if (__builtin_add_overflow(a, b, &sum)) overflow(what);
    return sum;
}

std::uint64_t mul(std::uint64_t a, std::uint64_t b, std::string_view what) {
    std::uint64_t product = 0;
    if (__builtin_mul_overflow(a, b, &product)) overflow(what);
    return product;
}

std::uint64_t product(std::span<const std::int64_t> shape, std::string_view what) {
    std::uint64_t result = 1;
    for (std::int64_t extent : shape) {
        if (extent < 0) throw Error(ErrorKind::format, std::string(what) + ": negative extent");
        result = mul(result, static_cast<std::uint64_t>(extent), what);
    }
    return result;
}

std::vector<std::byte> bytes(std::uint64_t size, std::string_view what) {
    try {
        return std::vector<std::byte>(to_size(size, what));
    } catch (const std::bad_alloc&) {
    } catch (const std::length_error&) {
    }
    throw Error(ErrorKind::memory,
                std::string(what) + ": not enough memory for " + std::to_string(size) + " bytes");
}

std::size_t to_size(std::uint64_t value, std::string_view what) {
    if (value > std::numeric_limits<std::size_t>::max())
        throw Error(ErrorKind::memory, std::string(what) + ": size exceeds the address space");
    return static_cast<std::size_t>(value);
}

}  // namespace vit::inline internal::checked
