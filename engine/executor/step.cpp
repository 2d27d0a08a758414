#include "engine/executor/step.h"

#include <algorithm>
#include <cstring>

#include "engine/base/rounding.h"

namespace vit::inline internal {

namespace {

std::size_t u(std::int64_t n) {
    return static_cast<std::size_t>(n);
}

template <class T>
T* element(const kernels::Matrix<T>& m, std::size_t row, std::size_t column) {
    constexpr std::size_t panel = kernels::panel_rows;
    const std::size_t r = m.first + row;
    return m.data + r / panel * m.panel + r % panel * m.row + column / panel * m.segment +
           column % panel;
}

/// Rows are padded to whole vectors, and in panels to whole tiles. The padding is multiplied by
/// zero, so it must be finite.
void clear_padding(const Rows& rows) {
    const std::int64_t end = rows.panels ? round_up(rows.cols, kernels::panel_rows) : rows.stride;
    if (end == rows.cols) return;
    const std::size_t bytes = u(end - rows.cols) * item_size(rows.type);
    for (std::int64_t r = 0; r < rows.count; ++r)
        std::memset(rows.panels ? static_cast<void*>(element(matrix_of<kernels::BFloat16>(rows),
                                                             u(r), u(rows.cols)))
                                : rows.row(r) + u(rows.cols) * item_size(rows.type),
                    0, bytes);
}

/// Copies the first `count` elements of each row. Both have the same type.
void copy_rows(const Rows& from, const Rows& to, std::int64_t count) {
    for (std::int64_t r = 0; r < to.count; ++r)
        std::memcpy(to.row(r), from.row(r), u(count) * item_size(to.type));
}

/// Columns [first, first + count) of a matrix. In panels, `first` must be the start of a segment.
template <class T>
kernels::Matrix<T> columns_of(kernels::Matrix<T> m, std::size_t first, std::size_t count) {
    m.data += element(m, 0, first) - element(m, 0, 0);
    m.cols = count;
    return m;
}

void run(const LayerNormStep& s, const KernelSet& kernels) {
    const std::size_t width = u(s.out.cols / s.groups);
    const auto normalise = [&](const auto& table, const auto& to) {
        for (std::size_t column = 0; column < u(s.out.cols); column += width) {
            const auto in = columns_of(matrix_of<const float>(s.in), column, width);
            const auto out = columns_of(to, column, width);
            if (s.rms)
                table.rms_norm(in, out, s.norm);
            else
                table.layer_norm(in, out, s.norm);
        }
    };
    if (s.out.type == DType::i8) {
        const auto norm_rows = s.rms ? kernels.int8->rms_norm : kernels.int8->layer_norm;
        return norm_rows(matrix_of<const float>(s.in), int8_rows(s.out), s.norm, s.row);
    }
    if (s.out.type == DType::f32)
        normalise(kernels.f32, matrix_of<float>(s.out));
    else
        normalise(*kernels.bf16, matrix_of<kernels::BFloat16>(s.out));
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
            Rows row = to;
            row.first += to.panels ? p : 0;
            row.data = to.panels ? to.data : to.row(p);
            row.count = 1;
            kernels.bf16->round(
                kernels::row_major<const float>(s.patch, 1, u(to.cols), u(to.stride)),
                matrix_of<kernels::BFloat16>(row));
        }
        clear_padding(to);
    }
    std::visit([](const auto& linear) { linear.execute(); }, *s.linear);
    if (!s.norm) return;
    run(*s.norm, kernels);
    const Rows& rows = s.norm->out;
    kernels::Matrix<const float> table = matrix_of<const float>(rows);
    table.data = s.table + (s.out.count - rows.count) * rows.stride;
    kernels.f32.add_scaled(table, 1.0f, matrix_of<float>(rows));
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
void run(const FusedLinearStep<T>& s, const KernelSet&) {
    if (s.in) {
        const auto from = matrix_of<T>(*s.in), to = matrix_of<T>(s.panels);
        for (std::size_t r = 0; r < u(s.in->count); ++r)
            for (std::size_t c = 0; c < u(s.in->cols); c += kernels::panel_rows)
                std::memcpy(
                    element(to, r, c), element(from, r, c),
                    std::min(kernels::panel_rows, u(s.in->cols) - c) * sizeof(kernels::BFloat16));
        clear_padding(s.panels);
    }
    s.call.execute();
}

void run(const Int8LinearStep& s, const KernelSet&) {
    s.call.execute();
}

void run(const QuantizeStep& s, const KernelSet& kernels) {
    if (s.in.type == DType::f32)
        kernels.int8->quantize(matrix_of<const float>(s.in), int8_rows(s.out));
    else
        kernels.int8->quantize_bf16(matrix_of<const kernels::BFloat16>(s.in), int8_rows(s.out));
}

template <class T>
void run(const PackStep<T>& s, const KernelSet&) {
    s.pack(matrix_of<const T>(s.in), u(s.first), s.size, s.packed);
}

template <class T>
void run(const AttentionStep<T>& s, const KernelSet&) {
    s.attend(matrix_of<const T>(s.q), s.packed, s.size, s.scale, matrix_of<T>(s.out), s.workspace);
    clear_padding(s.out);
}

void run(const AddStep& s, const KernelSet& kernels) {
    if (s.a) copy_rows(*s.a, s.out, s.out.stride);
    kernels.f32.add_scaled(matrix_of<const float>(s.b), s.factor, matrix_of<float>(s.out));
}

void run(const MultiplyStep& s, const KernelSet& kernels) {
    const auto a = matrix_of<const float>(s.a), b = matrix_of<const float>(s.b);
    if (s.out.type == DType::f32)
        kernels.f32.multiply(a, b, matrix_of<float>(s.out));
    else
        kernels.bf16->multiply(a, b, matrix_of<kernels::BFloat16>(s.out));
    clear_padding(s.out);
}

void run(const RoundStep& s, const KernelSet& kernels) {
    kernels.bf16->round(matrix_of<const float>(s.in), matrix_of<kernels::BFloat16>(s.out));
    clear_padding(s.out);
}

void run(const ConstantStep& s, const KernelSet&) {
    for (std::int64_t r = 0; r < s.out.count; ++r)
        std::memcpy(s.out.row(r), s.rows + r * s.out.cols, u(s.out.cols) * sizeof(float));
    clear_padding(s.out);
}

void run(const ReduceRowsStep& s, const KernelSet&) {
    s.reduce(matrix_of<const float>(s.in), s.out.f32());
    clear_padding(s.out);
}

void run(const AverageStep& s, const KernelSet&) {
    for (std::int64_t r = 0; r < s.out.count; ++r)
        for (std::int64_t c = 0; c < s.out.cols; ++c)
            s.out.f32()[r * s.out.stride + c] =
                (s.a.f32()[r * s.a.stride + c] + s.b.f32()[r * s.b.stride + c]) * 0.5f;
    clear_padding(s.out);
}

}  // namespace

void execute(const Step& step, const KernelSet& kernels) {
    std::visit([&](const auto& work) { run(work, kernels); }, step.work);
}

}  // namespace vit::inline internal
