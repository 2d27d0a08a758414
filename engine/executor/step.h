// One node, bound to the rows of one thread and to memory. It only has to be called.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "engine/kernels/kernels.h"
#include "engine/model/tensor.h"
#include "engine/ops/fused_linear.h"
#include "engine/ops/int8_linear.h"
#include "engine/ops/linear.h"
#include "engine/ops/patches.h"

namespace vit::inline internal {

/// The kernels of this run. `bf16` is set where any value may be bfloat16, `int8` where any may be
/// int8.
struct KernelSet {
    const kernels::Table& f32;
    const kernels::Bf16Table* bf16 = nullptr;
    const kernels::Int8Table* int8 = nullptr;

    /// Whether linears in bfloat16 run on tiles.
    bool tiles() const { return bf16 != nullptr && bf16->linears != nullptr; }
    /// Whether any kernel uses tile registers.
    bool tile_registers() const {
        return (tiles() && bf16->linears->registers) ||
               (int8 != nullptr && int8->linears.registers);
    }
};

/// Rows of a matrix that a thread owns: `stride` elements apart, or in panels.
struct Rows {
    std::byte* data = nullptr;
    std::int64_t count = 0, cols = 0, stride = 0;
    DType type = DType::f32;
    bool panels = false;
    std::int64_t first = 0;  ///< which row of the panels at `data` is row 0

    float* f32() const { return reinterpret_cast<float*>(data); }
    kernels::BFloat16* bf16() const { return reinterpret_cast<kernels::BFloat16*>(data); }
    /// Not for rows in panels.
    std::byte* row(std::int64_t r) const {
        return data + r * stride * static_cast<std::int64_t>(item_size(type));
    }
};

/// Rows of type i8 in the form that the kernels take.
inline kernels::Int8Rows int8_rows(const Rows& rows) {
    return {reinterpret_cast<std::uint8_t*>(rows.data), static_cast<std::size_t>(rows.count),
            static_cast<std::size_t>(rows.cols)};
}

/// The same rows in the form that the kernels take.
template <class T>
kernels::Matrix<T> matrix_of(const Rows& rows) {
    auto* const data = reinterpret_cast<T*>(rows.data);
    const auto u = [](std::int64_t n) { return static_cast<std::size_t>(n); };
    return rows.panels ? kernels::in_panels(data, u(rows.count), u(rows.cols), u(rows.first))
                       : kernels::row_major(data, u(rows.count), u(rows.cols), u(rows.stride));
}

struct LayerNormStep {
    Rows in, out;
    kernels::NormParameters norm;
    bool rms;
    std::int64_t groups;
    float* row = nullptr;  ///< memory for one row before it is quantised; i8 only
};
struct EmbedStep {
    const float* const* image;  ///< the pointer it points to changes for every run
    PatchGeometry geometry;
    std::int64_t first_patch, patches;  ///< of this thread
    Rows gathered;                      ///< one row per patch
    float* patch;                       ///< one patch before rounding; bf16 only
    const float* table;                 ///< this thread's first row
    Rows out;
    /// Applies to the gathered patches; in bf16 to the one patch in `patch`.
    std::optional<LayerNormStep> patch_norm;
    /// None where the thread owns only rows of prefix tokens.
    std::optional<
        std::variant<BoundLinear, BoundFusedLinear<float>, BoundFusedLinear<kernels::BFloat16>>>
        linear;
    std::optional<LayerNormStep> norm;  ///< applies to the patches' rows before positions are added
};
template <class T>
using InPlace = void (*)(T*, std::size_t);
struct LinearStep {
    BoundLinear call;
    Rows made;  ///< what the call writes; `cols` includes padding
    /// Copied to `made` before the call. None: the values are already there, or there is no
    /// residual.
    std::optional<Rows> residual;
    /// Where `made` is copied after the call. None: the call writes to the output directly.
    std::optional<Rows> copy;
    std::variant<std::monostate, InPlace<float>, InPlace<kernels::BFloat16>> activation;
};
template <class T>
struct FusedLinearStep {
    /// Where the input is not in panels but must be, it is copied from `in` to `panels` before the
    /// call.
    std::optional<Rows> in;
    Rows panels;
    BoundFusedLinear<T> call;
};
struct Int8LinearStep {
    BoundInt8Linear call;
};
template <class T>
struct PackStep {
    Rows in;
    decltype(kernels::AttentionKernels<T>::pack_keys) pack;
    std::int64_t first;  ///< key of the first row
    kernels::AttentionSize size;
    std::byte* packed;
};
template <class T>
struct AttentionStep {
    Rows q, out;
    kernels::PackedHeads packed;
    kernels::AttentionSize size;
    float scale;
    decltype(kernels::AttentionKernels<T>::attend) attend;
    float* workspace;
};
/// out = a + factor · b. Without `a`, `out` already holds those values.
struct AddStep {
    std::optional<Rows> a;
    Rows b, out;
    float factor;
};
struct MultiplyStep {
    Rows a, b, out;
};
struct RoundStep {
    Rows in, out;
};
struct QuantizeStep {
    Rows in, out;
};
struct ConstantStep {
    const float* rows;  ///< without padding
    Rows out;
};
/// Reduces all rows of `in` to one.
struct ReduceRowsStep {
    Rows in, out;
    decltype(kernels::Table::mean_rows) reduce;
};
struct AverageStep {
    Rows a, b, out;
};

struct Step {
    int node;  ///< index into Graph::nodes
    std::variant<EmbedStep, LayerNormStep, LinearStep, FusedLinearStep<float>,
                 FusedLinearStep<kernels::BFloat16>, Int8LinearStep, PackStep<float>,
                 PackStep<kernels::BFloat16>, AttentionStep<float>,
                 AttentionStep<kernels::BFloat16>, AddStep, MultiplyStep, RoundStep, QuantizeStep,
                 ConstantStep, ReduceRowsStep, AverageStep>
        work;
};

void execute(const Step& step, const KernelSet& kernels);

}  // namespace vit::inline internal
