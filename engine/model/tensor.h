// A named view of bytes: shape, element type and address. It does not own the bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vit::inline internal {

enum class DType { f64, f32, f16, bf16, i64, i32, i16, i8, u8, boolean };

std::size_t item_size(DType dtype);
/// The name in safetensors: "F32", "BF16", …
std::string_view dtype_name(DType dtype);

using Shape = std::vector<std::int64_t>;
/// "[1, 197, 768]", for messages.
std::string to_string(const Shape& shape);

/// Row-major and dense. `data` must outlive the view; it may be unaligned.
struct TensorView {
    std::string name;
    DType dtype = DType::f32;
    Shape shape;
    std::span<const std::byte> data;

    std::int64_t numel() const;
};

/// The bfloat16 bits of x, rounded to nearest even. NaN stays NaN.
std::uint16_t to_bf16(float x);
float from_bf16(std::uint16_t bits);

/// Converts elements to float32: f64, f32, f16 and bf16, exactly or rounded to nearest even;
/// integers are refused. `out.size()` must equal `view.numel()`. Throws Error(model) with the name
/// of the tensor.
void to_f32(const TensorView& view, std::span<float> out);
std::vector<float> to_f32(const TensorView& view);

}  // namespace vit::inline internal
