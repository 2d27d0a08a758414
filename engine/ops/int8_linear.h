// A fully connected layer in int8, with our own kernels: packed once, run on any number of rows.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/kernels/int8_kernels.h"
#include "engine/ops/panel_linear.h"

namespace vit::inline internal {

/// An Int8Linear bound to its memory.
class BoundInt8Linear {
  public:
    BoundInt8Linear(kernels::Int8Linears::Run run, const kernels::Int8LinearCall& call)
        : run_(run), call_(call) {}
    void execute() const { run_(call_); }

  private:
    kernels::Int8Linears::Run run_;
    kernels::Int8LinearCall call_;
};

/// y = activation(out_scale · (x Wᵀ + bias)), or without activation, added to a residual. x and W
/// are int8, with a scale for each row of x and for each output. Sets the padding columns of y up
/// to row_stride(out) to zero.
class Int8Linear {
  public:
    Int8Linear(const kernels::Int8Table& table, std::int64_t in, std::int64_t out)
        : table_(&table), in_(in), out_(out) {}

    const kernels::Int8Linears& kernels() const { return table_->linears; }
    std::size_t packed_bytes() const;
    /// A number that identifies the layout of the packed weights.
    std::uint64_t layout() const;

    /// `scales` is [out]; `bias` and `out_scale` are [out] or empty. `packed` points to what pack()
    /// writes; pack() may run later. It must outlive this object.
    void set(std::span<const float> scales, std::span<const float> bias,
             std::span<const float> out_scale, const void* packed);
    /// Packs `weight` [out, in], numbers within ±127, into `packed` (packed_bytes() bytes).
    void pack(std::span<const std::int8_t> weight, void* packed) const;

    /// All columns; and the columns of the parts [first, last) of `all` parts, which may be none.
    Columns columns() const { return {0, row_stride(out_)}; }
    Columns columns(std::int64_t first, std::int64_t last, std::int64_t all) const;

    std::size_t workspace_bytes(std::int64_t rows) const;

    /// `run` must be of the same kernels. It applies the activation.
    BoundInt8Linear bind(kernels::Int8Linears::Run run, Columns columns, kernels::Int8Rows x,
                         const LinearOutput& output, std::byte* workspace) const;

  private:
    std::int64_t panel_columns() const {
        return static_cast<std::int64_t>(kernels().panel_columns);
    }
    std::size_t panels() const;

    const kernels::Int8Table* table_;
    std::int64_t in_, out_;
    const std::int8_t* packed_ = nullptr;
    std::vector<float> scales_, bias_;  // [columns of all panels]
};

}  // namespace vit::inline internal
