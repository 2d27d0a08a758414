// A fully connected layer that runs on oneDNN: packed once, run on any number of rows.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "engine/base/cpu.h"
#include "engine/base/rounding.h"
#include "engine/ops/onednn.h"
#include "engine/ops/onednn_isa.h"

namespace vit::inline internal {

/// Elements from one row to the next in a matrix with `cols` columns. Every matrix of the engine is
/// padded to whole vectors, because oneDNN has slow paths for odd widths.
inline std::int64_t row_stride(std::int64_t cols) {
    return round_up(cols, 16);
}

/// Columns [first, last) of a linear's output, which has row_stride(out) columns.
struct Columns {
    std::int64_t first = 0, last = 0;
    std::int64_t count() const { return last - first; }
};

/// oneDNN's 1×1 convolution or matmul (Linear), or our own kernels (FusedLinear).
enum class LinearMethod { convolution, matmul, fused };

/// Returns the fastest method at this level among those whose result for a row does not depend on
/// the number of rows. `kernels`: whether we have our own kernels for the type. Only this function
/// decides that. It depends only on its arguments, so that one machine always gives the same bits.
LinearMethod choose_linear_method(OnednnLevel level, bool kernels);

/// A linear bound to its memory. A matmul with only one row runs on two copies of that row in
/// scratch memory: oneDNN 3.x adds up one row in another order than several rows, and results must
/// not depend on how rows are split.
class BoundLinear {
  public:
    /// Where a single row is read and written, and scratch memory for two rows each. All pointers
    /// are null where the call works without copies.
    struct LoneRow {
        const void* x = nullptr;
        void* y = nullptr;
        std::byte *x_twice = nullptr, *y_twice = nullptr;
        std::size_t x_bytes = 0, y_bytes = 0;
        bool accumulate = false;
    };

    BoundLinear(onednn::Call call, const LoneRow& lone) : call_(std::move(call)), lone_(lone) {}
    /// Throws Error(internal) with oneDNN's status.
    void execute() const;

  private:
    onednn::Call call_;
    LoneRow lone_;
};

/// y = out_scale · (x Wᵀ + bias), x [rows, row_stride(in)], y [rows, row_stride(out)]. The padding
/// of y becomes zero if the padding of x is finite. In bf16, x and W are bfloat16, products are
/// added in float32, and y has the type `out_type`. Only one thread at a time may call bind() or
/// scratchpad_bytes(). What bind() returns does not change with this object.
class Linear {
  public:
    /// Chooses the layout for about `rows` rows. Packs nothing yet.
    Linear(LinearMethod method, std::int64_t in, std::int64_t out, std::int64_t rows,
           DType type = DType::f32, DType out_type = DType::f32);

    std::int64_t in() const { return in_; }
    std::int64_t out() const { return out_; }
    std::size_t packed_bytes() const { return layout_.get_size(); }

    /// A number that identifies the layout of the packed weights.
    std::uint64_t layout() const { return onednn::fingerprint(layout_); }

    /// `bias` and `out_scale` are [out] or empty. `packed` points to what pack() writes; pack() may
    /// run later. It must outlive this object.
    void set(std::span<const float> bias, std::span<const float> out_scale, const void* packed);
    /// Packs `weight` [out, in] into `packed` (packed_bytes() bytes, 64-byte aligned, filled with
    /// zeros).
    void pack(const onednn::Weights& weight, std::span<const float> out_scale, void* packed) const;

    /// All columns; and the columns of the parts [first, last) of `all` parts, which may be none. A
    /// part is a multiple of `unit` columns, and starts at the start of a block of the packed
    /// weights.
    Columns columns() const { return {0, row_stride(out_)}; }
    Columns columns(std::int64_t first, std::int64_t last, std::int64_t all,
                    std::int64_t unit) const;
    /// Elements from one row to the next in the result of a call for these columns: whole blocks.
    std::int64_t stride(Columns columns) const;

    std::size_t scratchpad_bytes(std::int64_t rows, bool accumulate, Columns columns);
    std::size_t scratchpad_bytes(std::int64_t rows, bool accumulate) {
        return scratchpad_bytes(rows, accumulate, columns());
    }
    /// y is [rows, stride(columns)].
    BoundLinear bind(std::int64_t rows, bool accumulate, Columns columns, const void* x, void* y,
                     std::byte* scratchpad);

  private:
    /// What a primitive depends on.
    struct Key {
        std::int64_t rows, columns;
        bool accumulate;
        auto operator<=>(const Key&) const = default;
    };
    const onednn::Primitive& primitive(const Key& key);
    onednn::LinearShape shape(const Key& key) const;
    /// Whether `rows` is a single row that runs as two.
    bool doubles(std::int64_t rows) const;
    std::size_t x_row_bytes() const;
    std::size_t y_row_bytes(Columns columns) const;
    int column_dimension() const { return method_ == LinearMethod::convolution ? 0 : 1; }

    LinearMethod method_;
    std::int64_t in_, out_;
    DType type_, out_type_;
    onednn::memory::desc layout_;
    const void* packed_ = nullptr;
    std::vector<float> bias_;  // [row_stride(out)], padded to the end of the last block
    std::map<Key, onednn::Primitive> primitives_;
};

}  // namespace vit::inline internal
