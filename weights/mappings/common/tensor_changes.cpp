#include "weights/mappings/common/tensor_changes.h"

#include <fmt/format.h>

#include <cmath>
#include <initializer_list>
#include <span>

#include "engine/base/text.h"
#include "engine/model/position_table.h"
#include "vit/error.h"
#include "weights/mappings/common/hints.h"
#include "weights/mappings/common/tensor_parts.h"

namespace vit::inline internal {

namespace {

[[noreturn]] void wrong_shape(const TensorView& tensor, const Shape& expected) {
    throw Error(ErrorKind::model,
                fmt::format("tensor {}: expected shape {}, found {}; {}", in_quotes(tensor.name),
                            to_string(expected), to_string(tensor.shape),
                            shape_hint(tensor.name, tensor.shape, expected)));
}

}  // namespace

Shape TensorChanges::source_shape(TensorTransform transform,
                                  const std::vector<TensorSpec>& specs) const {
    return layout(transform, specs).shape;
}

TensorView TensorChanges::as_f32(const TensorView& tensor) {
    if (tensor.dtype == DType::f32) {
        check_finite_in_place(tensor);
        return tensor;
    }
    std::vector<float> values = to_f32(tensor);
    check_finite(tensor, values);
    return own(tensor.name, tensor.shape, std::move(values));
}

TensorView TensorChanges::own(std::string name, Shape shape, std::vector<float> values) {
    owned_.push_back(std::make_shared<const std::vector<float>>(std::move(values)));
    return {std::move(name), DType::f32, std::move(shape),
            std::as_bytes(std::span(*owned_.back()))};
}

/// Whether the tensor has the form [1, rows, D] of tokens and tables. Libraries other than timm may
/// leave the 1 out.
bool TensorChanges::is_row_of_rows(const TensorView& tensor) const {
    return tensor.shape.size() == 3 || (tensor.shape.size() < 3 && mapping_.library != "timm");
}

TensorChanges::Layout TensorChanges::layout(TensorTransform transform,
                                            const std::vector<TensorSpec>& specs) const {
    const Shape& shape = specs[0].shape;
    const std::int64_t heads =
        specs[0].name.starts_with("attn_pool.") ? config_.pool_heads : config_.heads;
    const std::int64_t h = config_.patch_height, w = config_.patch_width, c = config_.in_chans;
    Shape out = shape;
    switch (transform) {
        case TensorTransform::split_rows:
            for (std::size_t i = 1; i < specs.size(); ++i) out[0] += specs[i].shape[0];
            return {out, {}};
        case TensorTransform::split_columns:
            for (std::size_t i = 1; i < specs.size(); ++i) out[1] += specs[i].shape[1];
            return {out, {}};
        case TensorTransform::diff_lambda:
            return {{config_.head_dim / 2}, {}};
        case TensorTransform::class_rows:
            out[0] += mapping_.label_offset;
            return {out, {}};
        case TensorTransform::transpose:
            return {{shape[1], shape[0]}, {1, 0}};
        case TensorTransform::heads_in:
            return {{shape[1], heads, shape[0] / heads}, {1, 2, 0}};
        case TensorTransform::heads_out:
            return {{heads, shape[1] / heads, shape[0]}, {2, 0, 1}};
        case TensorTransform::heads_bias:
            return {{heads, shape[0] / heads}, {0, 1}};
        case TensorTransform::patch_hwio:
            return {{h, w, c, shape[0]}, {3, 2, 0, 1}};
        case TensorTransform::patch_rows:
            return {{shape[0], h * w * c}, {}};
        case TensorTransform::patch_values:
            return {{h * w * c}, {}};
        default:
            return {out, {}};
    }
}

std::vector<TensorView> TensorChanges::apply(const TensorView& tensor, const WrittenRule& rule,
                                             const std::vector<Target>& targets,
                                             const std::vector<TensorSpec>& specs,
                                             const std::vector<std::string>& numbers,
                                             std::string& what) {
    const TensorTransform transform = rule.transform;
    const TensorSpec& spec = specs[0];
    TensorView plain = as_f32(tensor);
    Shape& shape = plain.shape;
    if (transform == TensorTransform::position_table)
        return {position_table(plain, tensor, spec, what)};
    if (transform == TensorTransform::squeeze && is_row_of_rows(tensor))
        while (shape.size() > spec.shape.size() && shape.front() == 1) shape.erase(shape.begin());
    if (transform == TensorTransform::patch_kernel &&
        shape == Shape{spec.shape[0], spec.shape[1] * spec.shape[2] * spec.shape[3]}) {
        what += " (unflattened)";
        shape = spec.shape;
    }
    const Layout source = layout(transform, specs);
    if (shape != source.shape || (transform == TensorTransform::squeeze && !is_row_of_rows(tensor)))
        wrong_shape(tensor, source.shape);
    const std::int64_t h = config_.patch_height, w = config_.patch_width, c = config_.in_chans;
    const auto permute = [&](const Shape& from, std::initializer_list<std::size_t> axes) {
        const std::vector<std::size_t> order(axes);
        return std::vector{own("", spec.shape, permuted(to_f32(plain), from, order))};
    };
    switch (transform) {
        case TensorTransform::split_rows:
            return split_rows(plain, targets, specs);
        case TensorTransform::split_columns:
            return split_columns(plain, specs);
        case TensorTransform::class_rows:
            return {rows(plain, mapping_.label_offset, spec.shape[0])};
        case TensorTransform::patch_rows:
            return permute({shape[0], h, w, c}, {0, 3, 1, 2});
        case TensorTransform::patch_values:
            return permute({h, w, c}, {2, 0, 1});
        case TensorTransform::diff_lambda:
            return lambda(plain, tensor.name, numbers[0]);
        case TensorTransform::diff_sub_norm: {
            std::vector<float> values = to_f32(plain);
            const double factor = 1 - initial_lambda(std::stoll(numbers[0]));
            for (float& value : values)
                value = static_cast<float>(static_cast<double>(value) * factor);
            return {own("", shape, std::move(values))};
        }
        default:
            break;
    }
    if (!source.axes.empty())
        return {own("", spec.shape, permuted(to_f32(plain), shape, source.axes))};
    return std::vector<TensorView>(specs.size(), plain);
}

std::vector<TensorView> TensorChanges::split_rows(const TensorView& plain,
                                                  const std::vector<Target>& targets,
                                                  const std::vector<TensorSpec>& specs) {
    std::vector<TensorView> out;
    std::int64_t begin = 0;
    for (std::size_t i = 0; i < specs.size(); ++i) {
        const Shape& shape = specs[i].shape;
        if (!targets[i].takes_turns) {
            out.push_back(rows(plain, begin, shape[0]));
            begin += shape[0];
            continue;
        }
        const std::int64_t run = config_.head_dim / 2 * (shape.size() > 1 ? shape[1] : 1);
        out.push_back(own("", shape,
                          every_other(to_f32(rows(plain, begin, 2 * shape[0])),
                                      static_cast<std::size_t>(run), targets[i].turn)));
        if (targets[i].turn == 1) begin += 2 * shape[0];
    }
    return out;
}

std::vector<TensorView> TensorChanges::split_columns(const TensorView& plain,
                                                     const std::vector<TensorSpec>& specs) {
    const std::vector<float> all = to_f32(plain);
    std::vector<TensorView> out;
    std::int64_t begin = 0;
    for (const TensorSpec& spec : specs) {
        out.push_back(own("", spec.shape, columns(all, plain.shape[1], begin, spec.shape[1])));
        begin += spec.shape[1];
    }
    return out;
}

/// The block's lambda after all four vectors were passed; nothing before.
std::vector<TensorView> TensorChanges::lambda(const TensorView& plain, const std::string& name,
                                              const std::string& block) {
    auto& vectors = lambdas_[block];
    vectors[name.substr(name.size() - 2)] = to_f32(plain);
    if (vectors.size() < 4) return {};
    return {own("", {1},
                {diff_lambda(vectors.at("q1"), vectors.at("k1"), vectors.at("q2"), vectors.at("k2"),
                             std::stoll(block))})};
}

TensorView TensorChanges::position_table(const TensorView& plain, const TensorView& tensor,
                                         const TensorSpec& spec, std::string& what) {
    Shape shape = tensor.shape;
    while (shape.size() > 2 && shape.front() == 1) shape.erase(shape.begin());
    const std::int64_t dim = spec.shape[1];
    const Shape expected{1, spec.shape[0], dim};
    if (!is_row_of_rows(tensor)) wrong_shape(tensor, expected);
    const std::int64_t all_prefix = config_.no_embed_class ? 0 : config_.prefix_tokens();
    const std::int64_t prefix = mapping_.resize.prefix_rows.value_or(all_prefix);
    if (shape.size() != 2 || shape[1] != dim || shape[0] <= prefix) wrong_shape(tensor, expected);
    ImageSize grid = grid_of(shape[0] - prefix, tensor, expected);
    TensorView out = plain;
    out.shape = shape;
    const ImageSize first = grid;
    for (const auto& [next, interpolation] : mapping_.resize.steps) {
        if (next == grid) continue;
        out = own("", {prefix + next.height * next.width, dim},
                  resample_position_table(to_f32(out), prefix, grid, next, dim, interpolation));
        grid = next;
    }
    if (!(grid == first)) {
        const std::string note = fmt::format("resized from {}x{} to {}x{} patches", first.height,
                                             first.width, grid.height, grid.width);
        what += fmt::format(" ({})", note);
        notes_.push_back("position table " + note);
    }
    if (prefix < all_prefix) {
        std::vector<float> values = to_f32(out);
        values.insert(values.begin() + prefix * dim,
                      static_cast<std::size_t>((all_prefix - prefix) * dim), 0.0f);
        out = own("", {out.shape[0] + all_prefix - prefix, dim}, std::move(values));
        what += fmt::format(" (rows of zeros for the {} prefix tokens that have no position)",
                            all_prefix - prefix);
    }
    if (out.shape != spec.shape) wrong_shape(tensor, expected);
    return out;
}

ImageSize TensorChanges::grid_of(std::int64_t patches, const TensorView& tensor,
                                 const Shape& expected) const {
    for (const ImageSize& grid : mapping_.resize.said_grids)
        if (grid.height * grid.width == patches) return grid;
    const auto side =
        static_cast<std::int64_t>(std::llround(std::sqrt(static_cast<double>(patches))));
    if (side * side != patches) wrong_shape(tensor, expected);
    return {side, side};
}

}  // namespace vit::inline internal
