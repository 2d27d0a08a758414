// A fully connected layer that runs on our own kernels: packed once, run on any number of rows.
#pragma once

#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "engine/kernels/kernels.h"
#include "engine/ops/panel_linear.h"

namespace vit::inline internal {

/// A FusedLinear bound to its memory.
template <class T>
class BoundFusedLinear {
  public:
    using Run = typename kernels::FusedLinears<T>::Run;

    BoundFusedLinear(Run run, const kernels::FusedLinearCall<T>& call) : run_(run), call_(call) {}
    /// Where the kernels need tiles, the thread must have configured them (kernels::TileScope).
    void execute() const { run_(call_); }

  private:
    Run run_;
    kernels::FusedLinearCall<T> call_;
};

/// y = activation(out_scale · (x Wᵀ + bias)), or without activation, added to a residual. x [rows,
/// in] and W are of type T, float or BFloat16. Products are added in float32. Sets the padding
/// columns of y to zero: up to row_stride(out), in panels up to the next multiple of 32.
template <class T>
class FusedLinear {
  public:
    /// Whether x must be in panels. Its padding columns must then be zero.
    static constexpr bool in_panels = std::is_same_v<T, kernels::BFloat16>;

    using Kernels =
        std::conditional_t<std::is_same_v<T, float>, kernels::Table, kernels::Bf16Table>;

    /// `kernels.linears` must not be null.
    FusedLinear(const Kernels& kernels, std::int64_t in, std::int64_t out)
        : kernels_(&kernels), in_(in), out_(out) {}

    const kernels::FusedLinears<T>& kernels() const { return *kernels_->linears; }
    std::size_t packed_bytes() const;
    /// A number that identifies the layout of the packed weights. It differs for every size and
    /// form.
    std::uint64_t layout() const;

    /// `bias` and `out_scale` are [out] or empty. `packed` points to what pack() writes; pack() may
    /// run later. It must outlive this object.
    void set(std::span<const float> bias, std::span<const float> out_scale, const void* packed);
    /// Packs `weight` [out, in] into `packed` (packed_bytes() bytes, 64-byte aligned).
    void pack(const onednn::Weights& weight, std::span<const float> out_scale, void* packed) const;

    /// All columns; and the columns of the parts [first, last) of `all` parts, which may be none.
    Columns columns() const { return {0, row_stride(out_)}; }
    Columns columns(std::int64_t first, std::int64_t last, std::int64_t all) const;

    std::size_t workspace_bytes(std::int64_t rows, Columns columns) const;

    using Output = LinearOutput;
    /// `run` must be of the same kernels. It applies the activation. x has `in` columns.
    BoundFusedLinear<T> bind(typename kernels::FusedLinears<T>::Run run, Columns columns,
                             kernels::Matrix<const T> x, const Output& output,
                             float* workspace) const;

  private:
    std::int64_t panel_columns() const {
        return static_cast<std::int64_t>(kernels().panel_columns);
    }
    std::int64_t panels() const;

    const Kernels* kernels_;
    std::int64_t in_, out_;
    const T* packed_ = nullptr;
    std::vector<float> bias_;  // [columns of all panels]
};

extern template class FusedLinear<float>;
extern template class FusedLinear<kernels::BFloat16>;

}  // namespace vit::inline internal
