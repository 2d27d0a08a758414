// One node bound to one thread's rows and to memory: all that is left is to call it.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "engine/kernels/kernels.h"
#include "engine/ops/linear.h"
#include "engine/ops/patches.h"
#include "weights/model_file/tensor.h"

namespace vit {

/// The kernels of this run. `bf16` is there where a value is bfloat16.
struct KernelSet {
    const kernels::Table& f32;
    const kernels::Bf16Table* bf16 = nullptr;
};

/// Rows of a matrix that a thread owns.
struct Rows {
    std::byte* data = nullptr;
    std::int64_t count = 0, cols = 0, stride = 0;
    DType type = DType::f32;

    float* f32() const { return reinterpret_cast<float*>(data); }
    kernels::BFloat16* bf16() const { return reinterpret_cast<kernels::BFloat16*>(data); }
    std::byte* row(std::int64_t r) const {
        return data + r * stride * static_cast<std::int64_t>(item_size(type));
    }
};

/// Of one type, as the kernel that reads or writes them.
template <class T>
T* data_of(const Rows& rows) {
    return reinterpret_cast<T*>(rows.data);
}

struct LayerNormStep {
    Rows in, out;
    const float *gamma, *beta;  ///< beta: nullptr for RMS norm
    float eps;
    bool rms;
    std::int64_t groups;
};
struct EmbedStep {
    const float* const* image;  ///< set anew for every run
    PatchGeometry geometry;
    std::int64_t first_patch, patches;  ///< of this thread
    Rows gathered;                      ///< one row a patch
    float* patch;                       ///< one patch, before it is rounded; bf16 only
    const float* table;                 ///< this thread's first row
    Rows out;
    /// Of the gathered patches; with bf16 of the one patch in `patch`.
    std::optional<LayerNormStep> patch_norm;
    std::optional<BoundLinear> linear;  ///< none where the thread owns prefix rows only
    std::optional<LayerNormStep> norm;  ///< of the patches' rows, before positions are added
};
template <class T>
using InPlace = void (*)(T*, std::size_t);
struct LinearStep {
    BoundLinear call;
    Rows made;                     ///< what the call writes; `cols` with padding
    std::optional<Rows> residual;  ///< to copy there first; none: it is there, or there is none
    std::optional<Rows> copy;      ///< of `made`, at last; none: it was made in its place
    std::variant<std::monostate, InPlace<float>, InPlace<kernels::BFloat16>> activation;
};
template <class T>
struct PackStep {
    Rows in;
    decltype(kernels::AttentionKernels<T>::pack_keys) pack;
    std::int64_t first, keys, heads, head_dim;
    T* packed;
};
template <class T>
struct AttentionStep {
    Rows q, out;
    const T *keys, *values;
    std::int64_t key_count, heads, head_dim, value_dim;
    float scale;
    decltype(kernels::AttentionKernels<T>::attend) attend;
    float* workspace;
};
/// out = a + factor · b; where `a` is not there, it stands in `out`.
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
struct ConstantStep {
    const float* rows;  ///< without padding
    Rows out;
};
/// One row from all rows of `in`.
struct ReduceRowsStep {
    Rows in, out;
    decltype(kernels::Table::mean_rows) reduce;
};
struct AverageStep {
    Rows a, b, out;
};

struct Step {
    int node;  ///< index into Graph::nodes
    std::variant<EmbedStep, LayerNormStep, LinearStep, PackStep<float>, PackStep<kernels::BFloat16>,
                 AttentionStep<float>, AttentionStep<kernels::BFloat16>, AddStep, MultiplyStep,
                 RoundStep, ConstantStep, ReduceRowsStep, AverageStep>
        work;
};

void execute(const Step& step, const KernelSet& kernels);

}  // namespace vit
