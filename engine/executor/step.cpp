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
    const std::size_t item = item_size(rows.type);
    for (std::int64_t r = 0; r < rows.count; ++r)
        std::memset(rows.row(r) + u(rows.cols) * item, 0, u(rows.stride - rows.cols) * item);
}

/// The first `count` elements of each row, of the same type.
void copy_rows(const Rows& from, const Rows& to, std::int64_t count) {
    for (std::int64_t r = 0; r < to.count; ++r)
        std::memcpy(to.row(r), from.row(r), u(count) * item_size(to.type));
}

/// The same columns of all rows.
Rows columns(const Rows& rows, std::int64_t first, std::int64_t count) {
    Rows part = rows;
    part.data += first * static_cast<std::int64_t>(item_size(rows.type));
    part.cols = count;
    return part;
}

void run(const LayerNormStep& s, const KernelSet& kernels) {
    const std::int64_t width = s.out.cols / s.groups;
    for (std::int64_t g = 0; g < s.groups; ++g) {
        const Rows in = columns(s.in, g * width, width), out = columns(s.out, g * width, width);
        const auto layer_norm = [&](auto* kernel, auto* to) {
            kernel(in.f32(), u(in.stride), to, u(out.stride), u(out.count), u(width), s.gamma,
                   s.beta, s.eps);
        };
        const auto rms_norm = [&](auto* kernel, auto* to) {
            kernel(in.f32(), u(in.stride), to, u(out.stride), u(out.count), u(width), s.gamma,
                   s.eps);
        };
        if (out.type == DType::f32)
            s.rms ? rms_norm(kernels.f32.rms_norm, out.f32())
                  : layer_norm(kernels.f32.layer_norm, out.f32());
        else
            s.rms ? rms_norm(kernels.bf16->rms_norm, out.bf16())
                  : layer_norm(kernels.bf16->layer_norm, out.bf16());
    }
    clear_padding(s.out);
}

void run(const EmbedStep& s, const KernelSet& kernels) {
    std::memcpy(s.out.data, s.table, u(s.out.count * s.out.stride) * sizeof(float));
    if (!s.linear) return;
    const Rows& to = s.gathered;
    if (to.type == DType::f32) {
        gather_patches(*s.image, s.geometry, s.first_patch, s.patches, to.f32(), to.stride);
        if (s.patch_norm) run(*s.patch_norm, kernels);
    } else {
        for (std::int64_t p = 0; p < s.patches; ++p) {
            gather_patches(*s.image, s.geometry, s.first_patch + p, 1, s.patch, to.stride);
            if (s.patch_norm) run(*s.patch_norm, kernels);
            kernels.bf16->round(s.patch, to.bf16() + p * to.stride, u(to.stride));
        }
    }
    s.linear->execute();
    if (!s.norm) return;
    run(*s.norm, kernels);
    const Rows& rows = s.norm->out;
    kernels.f32.add_scaled(rows.f32(), u(rows.stride),
                           s.table + (s.out.count - rows.count) * rows.stride, u(rows.stride),
                           u(rows.count), u(rows.cols), 1.0f);
}

void run(const LinearStep& s, const KernelSet&) {
    if (s.residual) copy_rows(*s.residual, s.made, s.made.cols);
    s.call.execute();
    const std::size_t count = u(s.made.count * s.made.stride);
    if (const auto* f32 = std::get_if<InPlace<float>>(&s.activation))
        (*f32)(s.made.f32(), count);
    else if (const auto* bf16 = std::get_if<InPlace<kernels::BFloat16>>(&s.activation))
        (*bf16)(s.made.bf16(), count);
    if (s.copy) copy_rows(s.made, *s.copy, s.made.cols);
}

template <class T>
void run(const PackStep<T>& s, const KernelSet&) {
    s.pack(data_of<T>(s.in), u(s.in.stride), u(s.first), u(s.in.count), u(s.keys), u(s.heads),
           u(s.head_dim), s.packed);
}

template <class T>
void run(const AttentionStep<T>& s, const KernelSet&) {
    s.attend(data_of<T>(s.q), u(s.q.stride), u(s.q.count), s.keys, s.values, u(s.key_count),
             u(s.heads), u(s.head_dim), u(s.value_dim), s.scale, data_of<T>(s.out), u(s.out.stride),
             s.workspace);
    clear_padding(s.out);
}

void run(const AddStep& s, const KernelSet& kernels) {
    if (s.a) copy_rows(*s.a, s.out, s.out.stride);
    kernels.f32.add_scaled(s.out.f32(), u(s.out.stride), s.b.f32(), u(s.b.stride), u(s.out.count),
                           u(s.out.cols), s.factor);
}

void run(const MultiplyStep& s, const KernelSet& kernels) {
    const auto multiply = [&](auto* kernel, auto* out) {
        kernel(s.a.f32(), u(s.a.stride), s.b.f32(), u(s.b.stride), out, u(s.out.stride),
               u(s.out.count), u(s.out.cols));
    };
    if (s.out.type == DType::f32)
        multiply(kernels.f32.multiply, s.out.f32());
    else
        multiply(kernels.bf16->multiply, s.out.bf16());
    clear_padding(s.out);
}

void run(const RoundStep& s, const KernelSet& kernels) {
    for (std::int64_t r = 0; r < s.out.count; ++r)
        kernels.bf16->round(reinterpret_cast<const float*>(s.in.row(r)),
                            reinterpret_cast<kernels::BFloat16*>(s.out.row(r)), u(s.out.cols));
    clear_padding(s.out);
}

void run(const ConstantStep& s, const KernelSet&) {
    for (std::int64_t r = 0; r < s.out.count; ++r)
        std::memcpy(s.out.row(r), s.rows + r * s.out.cols, u(s.out.cols) * sizeof(float));
    clear_padding(s.out);
}

void run(const ReduceRowsStep& s, const KernelSet&) {
    s.reduce(s.in.f32(), u(s.in.stride), u(s.in.count), u(s.in.cols), s.out.f32());
    clear_padding(s.out);
}

void run(const AverageStep& s, const KernelSet&) {
    for (std::int64_t c = 0; c < s.out.cols; ++c)
        s.out.f32()[c] = (s.a.f32()[c] + s.b.f32()[c]) * 0.5f;
    clear_padding(s.out);
}

}  // namespace

void execute(const Step& step, const KernelSet& kernels) {
    std::visit([&](const auto& work) { run(work, kernels); }, step.work);
}

}  // namespace vit
