// One node bound to one thread's rows and to memory: all that is left is to call it.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "engine/kernels/kernels.h"
#include "engine/ops/linear.h"
#include "engine/ops/patches.h"

namespace vit {

/// Rows of a matrix that a thread owns.
struct Rows {
    float* data = nullptr;
    std::int64_t count = 0, cols = 0, stride = 0;
};
struct ConstRows {
    const float* data = nullptr;
    std::int64_t count = 0, cols = 0, stride = 0;
    ConstRows() = default;
    ConstRows(const Rows& r)
        : data(r.data), count(r.count), cols(r.cols), stride(r.stride) {}  // NOLINT: widening
};

struct EmbedStep {
    const float* const* image;  ///< set anew for every run
    PatchGeometry geometry;
    std::int64_t first_patch, patches;  ///< of this thread
    float* gathered;                    ///< [patches, stride]
    std::int64_t gathered_stride;
    const float* table;  ///< this thread's first row
    Rows out;
    std::optional<onednn::Call> linear;  ///< none where the thread owns prefix rows only
};
struct LayerNormStep {
    ConstRows in;
    Rows out;
    const float *gamma, *beta;
    float eps;
};
struct LinearStep {
    onednn::Call call;
    Rows out;
    std::optional<ConstRows>
        residual;  ///< to copy into `out` first; none: it is there, or there is none
    void (*activation)(float*, std::size_t);
};
struct PackStep {
    ConstRows in;
    void (*pack)(const float*, std::size_t, std::size_t, std::size_t, std::size_t, std::size_t,
                 std::size_t, float*);
    std::int64_t first, keys, heads, head_dim;
    float* packed;
};
struct AttentionStep {
    ConstRows q;
    Rows out;
    const float *keys, *values;
    std::int64_t key_count, heads, head_dim;
    float scale;
    float* workspace;
};
struct MeanRowsStep {
    ConstRows in;
    Rows out;
};
struct AverageStep {
    ConstRows a, b;
    Rows out;
};

struct Step {
    int node;  ///< index into Graph::nodes
    std::variant<EmbedStep, LayerNormStep, LinearStep, PackStep, AttentionStep, MeanRowsStep,
                 AverageStep>
        work;
};

void execute(const Step& step, const kernels::Table& kernels);

}  // namespace vit
