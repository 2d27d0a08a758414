#include "engine/model/tensor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bit>
#include <cstring>
#include <new>

#include "engine/base/checked.h"
#include "engine/base/text.h"
#include "vit/error.h"

namespace vit::inline internal {

namespace {

/// Converts binary16 to binary32 exactly. A NaN keeps its payload.
float from_f16(std::uint16_t half) {
    const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000u) << 16;
    const std::uint32_t exponent = (half >> 10) & 0x1Fu;
    const std::uint32_t mantissa = half & 0x3FFu;
    if (exponent == 0) {  // zero and subnormals: mantissa * 2^-24, exact in float32
        const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
        return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | sign);
    }
    const std::uint32_t wide = exponent == 0x1Fu ? 0xFFu : exponent + (127 - 15);
    return std::bit_cast<float>(sign | (wide << 23) | (mantissa << 13));
}

template <typename Item, typename Convert>
void convert(std::span<const std::byte> data, std::span<float> out, Convert&& to_float) {
    for (std::size_t i = 0; i < out.size(); ++i) {
        Item item;
        std::memcpy(&item, data.data() + i * sizeof(Item), sizeof(Item));  // may be unaligned
        out[i] = to_float(item);
    }
}

}  // namespace

std::uint16_t to_bf16(float x) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    if (x != x) return static_cast<std::uint16_t>(bits >> 16 | 0x40u);  // becomes a quiet NaN
    const std::uint32_t half = 0x7fffu + (bits >> 16 & 1u);
    return static_cast<std::uint16_t>((bits + half) >> 16);
}

float from_bf16(std::uint16_t bits) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

std::size_t item_size(DType dtype) {
    switch (dtype) {
        case DType::f64:
        case DType::i64:
            return 8;
        case DType::f32:
        case DType::i32:
            return 4;
        case DType::f16:
        case DType::bf16:
        case DType::i16:
            return 2;
        case DType::i8:
        case DType::u8:
        case DType::boolean:
            return 1;
    }
    throw Error(ErrorKind::internal, "item_size: unknown element type");
}

std::string_view dtype_name(DType dtype) {
    switch (dtype) {
        case DType::f64:
            return "F64";
        case DType::f32:
            return "F32";
        case DType::f16:
            return "F16";
        case DType::bf16:
            return "BF16";
        case DType::i64:
            return "I64";
        case DType::i32:
            return "I32";
        case DType::i16:
            return "I16";
        case DType::i8:
            return "I8";
        case DType::u8:
            return "U8";
        case DType::boolean:
            return "BOOL";
    }
    throw Error(ErrorKind::internal, "dtype_name: unknown element type");
}

std::string to_string(const Shape& shape) {
    return fmt::format("[{}]", fmt::join(shape, ", "));
}

std::int64_t TensorView::numel() const {
    const std::uint64_t count = checked::product(shape, "tensor " + in_quotes(name));
    if (count > static_cast<std::uint64_t>(INT64_MAX))
        throw Error(ErrorKind::format,
                    fmt::format("tensor {}: too many elements", in_quotes(name)));
    return static_cast<std::int64_t>(count);
}

void to_f32(const TensorView& view, std::span<float> out) {
    const std::uint64_t count = static_cast<std::uint64_t>(view.numel());
    if (out.size() != count)
        throw Error(ErrorKind::internal,
                    fmt::format("tensor {}: expected room for {} elements, found {}",
                                in_quotes(view.name), count, out.size()));
    const std::uint64_t bytes =
        checked::mul(count, item_size(view.dtype), "tensor " + in_quotes(view.name));
    if (view.data.size() != bytes)
        throw Error(
            ErrorKind::model,
            fmt::format("tensor {}: expected {} bytes for {} {}, found {}", in_quotes(view.name),
                        bytes, dtype_name(view.dtype), to_string(view.shape), view.data.size()));
    switch (view.dtype) {
        case DType::f64:
            convert<double>(view.data, out, [](double x) { return static_cast<float>(x); });
            return;
        case DType::f32:
            if (!out.empty()) std::memcpy(out.data(), view.data.data(), view.data.size());
            return;
        case DType::f16:
            convert<std::uint16_t>(view.data, out, from_f16);
            return;
        case DType::bf16:
            convert<std::uint16_t>(view.data, out, from_bf16);
            return;
        default:
            throw Error(
                ErrorKind::model,
                fmt::format(
                    "tensor {}: expected floating-point elements (F64, F32, F16 or BF16), found {}",
                    in_quotes(view.name), dtype_name(view.dtype)));
    }
}

std::vector<float> to_f32(const TensorView& view) {
    // Checked before allocating, because a header may claim any size.
    if (view.numel() > static_cast<std::int64_t>(view.data.size()))
        throw Error(ErrorKind::model,
                    fmt::format("tensor {}: shape {} needs more than its {} bytes",
                                in_quotes(view.name), to_string(view.shape), view.data.size()));
    try {
        std::vector<float> out(static_cast<std::size_t>(view.numel()));
        to_f32(view, out);
        return out;
    } catch (const std::bad_alloc&) {
        throw Error(ErrorKind::memory,
                    fmt::format("tensor {}: not enough memory for {} values in float32",
                                in_quotes(view.name), view.numel()));
    }
}

}  // namespace vit::inline internal
