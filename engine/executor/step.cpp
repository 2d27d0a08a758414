#include "engine/executor/step.h"

#include <cstring>

namespace vit {

namespace {

std::size_t u(std::int64_t n) {
    return static_cast<std::size_t>(n);
}

/// Rows are padded to whole vectors; what reads the padding multiplies it by zero, so it must be
/// finite.
void clear_padding(const Rows& rows) {
    if (rows.stride == rows.cols) return;
    for (std::int64_t r = 0; r < rows.count; ++r)
        std::memset(rows.data + r * rows.stride + rows.cols, 0,
                    u(rows.stride - rows.cols) * sizeof(float));
}

void run(const EmbedStep& s, const kernels::Table&) {
    std::memcpy(s.out.data, s.table, u(s.out.count * s.out.stride) * sizeof(float));
    if (!s.linear) return;
    gather_patches(*s.image, s.geometry, s.first_patch, s.patches, s.gathered, s.gathered_stride);
    s.linear->execute();
}

void run(const LayerNormStep& s, const kernels::Table& kernels) {
    kernels.layer_norm(s.in.data, u(s.in.stride), s.out.data, u(s.out.stride), u(s.out.count),
                       u(s.out.cols), s.gamma, s.beta, s.eps);
    clear_padding(s.out);
}

void run(const LinearStep& s, const kernels::Table&) {
    if (s.residual)
        for (std::int64_t r = 0; r < s.out.count; ++r)
            std::memcpy(s.out.data + r * s.out.stride, s.residual->data + r * s.residual->stride,
                        u(s.out.stride) * sizeof(float));
    s.call.execute();
    if (s.activation) s.activation(s.out.data, u(s.out.count * s.out.stride));
}

void run(const PackStep& s, const kernels::Table&) {
    s.pack(s.in.data, u(s.in.stride), u(s.first), u(s.in.count), u(s.keys), u(s.heads),
           u(s.head_dim), s.packed);
}

void run(const AttentionStep& s, const kernels::Table& kernels) {
    kernels.attend(s.q.data, u(s.q.stride), u(s.q.count), s.keys, s.values, u(s.key_count),
                   u(s.heads), u(s.head_dim), s.scale, s.out.data, u(s.out.stride), s.workspace);
    clear_padding(s.out);
}

void run(const MeanRowsStep& s, const kernels::Table& kernels) {
    kernels.mean_rows(s.in.data, u(s.in.stride), u(s.in.count), u(s.in.cols), s.out.data);
    clear_padding(s.out);
}

void run(const AverageStep& s, const kernels::Table&) {
    for (std::int64_t c = 0; c < s.out.cols; ++c)
        s.out.data[c] = (s.a.data[c] + s.b.data[c]) * 0.5f;
    clear_padding(s.out);
}

}  // namespace

void execute(const Step& step, const kernels::Table& kernels) {
    std::visit([&](const auto& work) { run(work, kernels); }, step.work);
}

}  // namespace vit
