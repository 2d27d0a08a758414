#include "weights/mappings/mapping.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <map>
#include <numeric>

#include "vit/error.h"
#include "weights/model_file/position_table.h"
#include "weights/model_file/text.h"

namespace vit {

namespace {

[[noreturn]] void refuse(const std::string& what) {
    throw Error(ErrorKind::model, what);
}

/// `pattern` with `#` replaced and without brackets, or what is in them where that has a number
/// too.
std::string filled(std::string_view pattern, const std::string& block) {
    std::string out(pattern);
    if (const std::size_t at = out.find("[#"); at != std::string::npos)
        out.erase(at, out.find(']', at) + 1 - at);
    std::erase_if(out, [](char c) { return c == '[' || c == ']'; });
    if (const std::size_t at = out.find('#'); at != std::string::npos) out.replace(at, 1, block);
    return out;
}

/// Canonical names that a rule makes.
std::vector<std::string> targets(const MappingRule& rule, const std::string& block) {
    const std::string name = filled(rule.canonical, block);
    if (rule.transform != Transform::split_qkv) return {name};
    std::vector<std::string> out;
    for (const char* part : {"q", "k", "v"}) {
        out.push_back(name);
        out.back().replace(out.back().find("qkv"), 3, part);
    }
    return out;
}

/// True where a tensor whose name has no number goes to every block.
bool stacked(const MappingRule& rule, const std::string& block) {
    return block.empty() && rule.canonical.find('#') != std::string_view::npos;
}

bool fits_rest(std::string_view pattern, std::string_view name, std::string& block) {
    while (!pattern.empty()) {
        const char next = pattern.front();
        pattern.remove_prefix(1);
        if (next == '*') return true;
        if (next == '[') {
            const std::string_view part = pattern.substr(0, pattern.find(']'));
            pattern.remove_prefix(part.size() + 1);
            return fits_rest(std::string(part).append(pattern), name, block) ||
                   fits_rest(pattern, name, block);
        }
        if (next == '#') {
            const std::string_view number = name.substr(0, name.find_first_not_of("0123456789"));
            if (number.empty() || (number.size() > 1 && number[0] == '0')) return false;
            block = number;
            name.remove_prefix(number.size());
        } else {
            if (!name.starts_with(next)) return false;
            name.remove_prefix(1);
        }
    }
    return name.empty();
}

/// Where a flat index lies: "[3, 17]".
std::string position(const Shape& shape, std::int64_t flat) {
    Shape at(shape.size());
    for (std::size_t i = shape.size(); i-- > 0;) {
        at[i] = flat % shape[i];
        flat /= shape[i];
    }
    return to_string(at);
}

void check_finite(const TensorView& tensor, std::span<const float> values) {
    const auto bad =
        std::find_if(values.begin(), values.end(), [](float x) { return !std::isfinite(x); });
    if (bad == values.end()) return;
    const auto count = std::count_if(bad, values.end(), [](float x) { return !std::isfinite(x); });
    refuse(fmt::format("tensor {}: expected finite values, found {} at {} ({} such of {})",
                       in_quotes(tensor.name), *bad, position(tensor.shape, bad - values.begin()),
                       count, values.size()));
}

/// The same for a float32 view as it lies in its file, aligned or not.
void check_finite_in_place(const TensorView& tensor) {
    std::array<float, 4096> chunk;
    const std::size_t total = tensor.data.size() / sizeof(float);
    for (std::size_t at = 0; at < total; at += chunk.size()) {
        const std::size_t length = std::min(chunk.size(), total - at);
        std::memcpy(chunk.data(), tensor.data.data() + at * sizeof(float), length * sizeof(float));
        if (std::all_of(chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(length),
                        [](float x) { return std::isfinite(x); }))
            continue;
        check_finite(tensor, to_f32(tensor));
    }
}

class Mapper {
  public:
    Mapper(const Mapping& mapping, const ModelConfig& config)
        : mapping_(mapping), config_(config), specs_(required_tensors(config)) {
        for (std::size_t i = 0; i < specs_.size(); ++i) index_[specs_[i].name] = i;
        views_.resize(specs_.size());
        from_.resize(specs_.size());
    }

    void take(const TensorView& tensor) {
        std::string block;
        for (const MappingRule& rule : mapping_.droppable)
            if (fits_here(rule, tensor.name, block)) return use(tensor, rule, block);
        for (const MappingRule& rule : mapping_.rules)
            if (fits_here(rule, tensor.name, block)) return use(tensor, rule, block);
        refuse(fmt::format("tensor {} {} is not part of a Vision Transformer as {} names it",
                           in_quotes(tensor.name), to_string(tensor.shape), mapping_.library));
    }

    MappedTensors finish() {
        for (const MadeTensor& made : mapping_.made) {
            const std::size_t at = index_.at(made.name);
            if (!from_[at].empty()) continue;
            views_[at] = own(made.name, specs_[at].shape, made.values);
            from_[at] = made.name;
            out_.notes.push_back(fmt::format("{}: {}", made.name, made.note));
        }
        for (std::size_t i = 0; i < specs_.size(); ++i)
            if (from_[i].empty()) missing(specs_[i]);
        out_.tensors = std::move(views_);
        return std::move(out_);
    }

  private:
    bool fits_here(const MappingRule& rule, std::string_view name, std::string& block) {
        if (!rule.source.starts_with('~')) return fits(rule.source, name, block);
        const std::string_view pattern = rule.source.substr(1);
        for (const std::string_view prefix : mapping_.prefixes) {
            if (!name.starts_with(prefix) || !fits(pattern, name.substr(prefix.size()), block))
                continue;
            prefix_ = prefix;
            return true;
        }
        return fits(pattern, name, block);
    }

    /// What the source calls it, were it there.
    std::string name_of(const MappingRule& rule, const std::string& block) const {
        const std::string name = filled(rule.source, block);
        return name.starts_with('~') ? std::string(prefix_) + name.substr(1) : name;
    }

    void dropped(const TensorView& tensor, std::string_view why) {
        out_.report.push_back({tensor.name, false, std::string(why)});
        out_.notes.push_back(fmt::format("dropped {}: {}", in_quotes(tensor.name), why));
    }

    void use(const TensorView& tensor, const MappingRule& rule, const std::string& block) {
        if (rule.transform == Transform::drop) return dropped(tensor, rule.note);
        if (rule.transform == Transform::class_rows && config_.num_classes == 0)
            return dropped(tensor, "num_classes is 0: the model has no head");
        std::string what;
        if (stacked(rule, block)) {
            Shape each = tensor.shape;
            if (each.empty() || each[0] != config_.depth)
                refuse(
                    fmt::format("tensor {}: expected one part for each of the {} blocks, found "
                                "shape {}",
                                in_quotes(tensor.name), config_.depth, to_string(each)));
            each.erase(each.begin());
            const TensorView all = as_f32(tensor);
            for (std::int64_t n = 0; n < config_.depth; ++n) {
                TensorView part = rows(all, tensor.shape, n, 1);
                part.name = fmt::format("{}[{}]", tensor.name, n);
                part.shape = each;
                place(part, rule, std::to_string(n));
            }
            what = rule.canonical;
        } else {
            const std::vector<std::string> names = targets(rule, block);
            what = fmt::format("{}", fmt::join(names, ", ")) + place(tensor, rule, block);
        }
        if (!rule.note.empty()) what += fmt::format(" ({})", rule.note);
        out_.report.push_back({tensor.name, true, what});
    }

    /// Puts the tensor where its rule says. Returns what else is to be said.
    std::string place(const TensorView& tensor, const MappingRule& rule, const std::string& block) {
        std::vector<std::size_t> at;
        for (const std::string& name : targets(rule, block)) {
            const auto found = index_.find(name);
            if (found == index_.end()) not_in_model(tensor, block);
            if (!from_[found->second].empty())
                refuse(fmt::format("tensors {} and {} are both {}", in_quotes(from_[found->second]),
                                   in_quotes(tensor.name), name));
            at.push_back(found->second);
        }
        const TensorView plain = as_f32(tensor);
        std::string more;
        for (std::size_t part = 0; part < at.size(); ++part) {
            const TensorSpec& spec = specs_[at[part]];
            views_[at[part]] = changed(plain, tensor, rule.transform, spec, part, more);
            views_[at[part]].name = spec.name;
            from_[at[part]] = tensor.name;
        }
        return more;
    }

    /// Float32 values, in place where they are so already.
    TensorView as_f32(const TensorView& tensor) {
        if (tensor.dtype == DType::f32) {
            check_finite_in_place(tensor);
            return tensor;
        }
        std::vector<float> values = to_f32(tensor);
        check_finite(tensor, values);
        return own(tensor.name, tensor.shape, std::move(values));
    }

    TensorView own(std::string name, Shape shape, std::vector<float> values) {
        out_.owned.push_back(std::make_shared<const std::vector<float>>(std::move(values)));
        return {std::move(name), DType::f32, std::move(shape),
                std::as_bytes(std::span(*out_.owned.back()))};
    }

    [[noreturn]] static void wrong_shape(const TensorView& tensor, const Shape& expected) {
        refuse(fmt::format("tensor {}: expected shape {}, found {}", in_quotes(tensor.name),
                           to_string(expected), to_string(tensor.shape)));
    }

    /// Rows [begin, begin + count) of the first extent.
    static TensorView rows(const TensorView& plain, Shape shape, std::int64_t begin,
                           std::int64_t count) {
        const std::int64_t row =
            std::accumulate(shape.begin() + 1, shape.end(), std::int64_t{1}, std::multiplies<>());
        const auto bytes = static_cast<std::size_t>(row) * sizeof(float);
        shape[0] = count;
        return {"", DType::f32, std::move(shape),
                plain.data.subspan(static_cast<std::size_t>(begin) * bytes,
                                   static_cast<std::size_t>(count) * bytes)};
    }

    /// How a source lays out what goes to `spec`, and the order in which its axes are read.
    struct Layout {
        Shape shape;
        std::vector<std::size_t> axes;  ///< empty: as they are
    };
    Layout layout(Transform transform, const TensorSpec& spec) const {
        const Shape& shape = spec.shape;
        const std::int64_t heads =
            spec.name.starts_with("attn_pool.") ? config_.pool_heads : config_.heads;
        const std::int64_t h = config_.patch_height, w = config_.patch_width, c = config_.in_chans;
        Shape out = shape;
        switch (transform) {
            case Transform::split_qkv:
                out[0] *= 3;
                return {out, {}};
            case Transform::class_rows:
                out[0] += mapping_.label_offset;
                return {out, {}};
            case Transform::transpose:
                return {{shape[1], shape[0]}, {1, 0}};
            case Transform::heads_in:
                return {{shape[1], heads, shape[0] / heads}, {1, 2, 0}};
            case Transform::heads_out:
                return {{heads, shape[1] / heads, shape[0]}, {2, 0, 1}};
            case Transform::heads_bias:
                return {{heads, shape[0] / heads}, {0, 1}};
            case Transform::patch_hwio:
                return {{h, w, c, shape[0]}, {3, 2, 0, 1}};
            case Transform::patch_rows:
                return {{shape[0], h * w * c}, {}};
            case Transform::patch_values:
                return {{h * w * c}, {}};
            default:
                return {out, {}};
        }
    }

    /// Values in the order in which `axes` are read: as numpy's transpose.
    TensorView permuted(const TensorView& plain, const Shape& shape,
                        std::span<const std::size_t> axes, const Shape& result) {
        const std::vector<float> in = to_f32(plain);
        std::vector<std::size_t> stride(shape.size(), 1);
        for (std::size_t i = shape.size() - 1; i-- > 0;)
            stride[i] = stride[i + 1] * static_cast<std::size_t>(shape[i + 1]);
        std::vector<float> out;
        out.reserve(in.size());
        std::vector<std::int64_t> at(axes.size(), 0);
        std::size_t from = 0;
        while (out.size() < in.size()) {
            out.push_back(in[from]);
            for (std::size_t i = axes.size(); i-- > 0;) {
                from += stride[axes[i]];
                if (++at[i] < shape[axes[i]]) break;
                from -= stride[axes[i]] * static_cast<std::size_t>(at[i]);
                at[i] = 0;
            }
        }
        return own("", result, std::move(out));
    }

    TensorView changed(const TensorView& plain, const TensorView& tensor, Transform transform,
                       const TensorSpec& spec, std::size_t part, std::string& what) {
        Shape shape = tensor.shape;
        if (transform == Transform::position_table) return table(plain, tensor, spec, what);
        if (transform == Transform::squeeze)
            while (shape.size() > spec.shape.size() && shape.front() == 1)
                shape.erase(shape.begin());
        if (transform == Transform::patch_kernel &&
            shape == Shape{spec.shape[0], spec.shape[1] * spec.shape[2] * spec.shape[3]}) {
            what += " (unflattened)";
            shape = spec.shape;
        }
        const Layout source = layout(transform, spec);
        if (shape != source.shape) wrong_shape(tensor, source.shape);
        const std::int64_t h = config_.patch_height, w = config_.patch_width, c = config_.in_chans;
        switch (transform) {
            case Transform::split_qkv:
                return rows(plain, shape, static_cast<std::int64_t>(part) * spec.shape[0],
                            spec.shape[0]);
            case Transform::class_rows:
                return rows(plain, shape, mapping_.label_offset, spec.shape[0]);
            case Transform::patch_rows:
                return permuted(plain, {shape[0], h, w, c}, std::array<std::size_t, 4>{0, 3, 1, 2},
                                spec.shape);
            case Transform::patch_values:
                return permuted(plain, {h, w, c}, std::array<std::size_t, 3>{2, 0, 1}, spec.shape);
            default:
                break;
        }
        if (!source.axes.empty()) return permuted(plain, shape, source.axes, spec.shape);
        TensorView out = plain;
        out.shape = spec.shape;
        return out;
    }

    TensorView table(const TensorView& plain, const TensorView& tensor, const TensorSpec& spec,
                     std::string& what) {
        Shape shape = tensor.shape;
        while (shape.size() > 2 && shape.front() == 1) shape.erase(shape.begin());
        const std::int64_t dim = spec.shape[1];
        const Shape expected{1, spec.shape[0], dim};
        const std::int64_t all_prefix = config_.no_embed_class ? 0 : config_.prefix_tokens();
        const std::int64_t prefix = mapping_.resize.prefix_rows.value_or(all_prefix);
        if (shape.size() != 2 || shape[1] != dim || shape[0] <= prefix)
            wrong_shape(tensor, expected);
        ImageSize grid = grid_of(shape[0] - prefix, tensor, expected);
        TensorView out = plain;
        out.shape = shape;
        const ImageSize first = grid;
        for (const ImageSize& next : mapping_.resize.steps) {
            if (next == grid) continue;
            if (mapping_.resize.bilinear)
                refuse(fmt::format(
                    "tensor {}: expected shape {}, found {}; resizing this "
                    "architecture's position table (bilinear) is not supported yet",
                    in_quotes(tensor.name), to_string(expected), to_string(tensor.shape)));
            out = own("", {prefix + next.height * next.width, dim},
                      resample_position_table(to_f32(out), prefix, grid, next, dim));
            grid = next;
        }
        if (!(grid == first)) {
            const std::string note =
                fmt::format("resized from {}x{} to {}x{} patches", first.height, first.width,
                            grid.height, grid.width);
            what += fmt::format(" ({})", note);
            out_.notes.push_back("position table " + note);
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

    ImageSize grid_of(std::int64_t patches, const TensorView& tensor, const Shape& expected) const {
        for (const ImageSize& grid : mapping_.resize.said_grids)
            if (grid.height * grid.width == patches) return grid;
        const auto side =
            static_cast<std::int64_t>(std::llround(std::sqrt(static_cast<double>(patches))));
        if (side * side != patches) wrong_shape(tensor, expected);
        return {side, side};
    }

    [[noreturn]] void not_in_model(const TensorView& tensor, const std::string& block) const {
        std::string why = "the architecture and its arguments have no such part";
        if (!block.empty() && block.size() < 10 && std::stoll(block) >= config_.depth)
            why = fmt::format("the architecture has {} blocks", config_.depth);
        refuse(fmt::format("tensor {} {} is not part of the model: {}", in_quotes(tensor.name),
                           to_string(tensor.shape), why));
    }

    /// Names the tensor as the source would.
    [[noreturn]] void missing(const TensorSpec& spec) const {
        std::string block;
        if (spec.name.starts_with("blocks."))
            block = spec.name.substr(7, spec.name.find('.', 7) - 7);
        for (const auto& table : {mapping_.droppable, mapping_.rules}) {
            for (const MappingRule& rule : table) {
                if (rule.transform == Transform::drop) continue;
                const std::vector<std::string> names = targets(rule, block);
                if (std::find(names.begin(), names.end(), spec.name) == names.end()) continue;
                Shape shape = layout(rule.transform, spec).shape;
                refuse(fmt::format("tensor '{}' is missing: expected shape {}",
                                   name_of(rule, block), to_string(shape)));
            }
        }
        refuse(fmt::format("tensor '{}' is missing", spec.name));
    }

    const Mapping& mapping_;
    const ModelConfig& config_;
    std::vector<TensorSpec> specs_;
    std::map<std::string, std::size_t, std::less<>> index_;
    std::vector<TensorView> views_;
    std::vector<std::string> from_;  ///< source name of each required tensor
    std::string_view prefix_;        ///< the one that tensors had
    MappedTensors out_;
};

}  // namespace

bool fits(std::string_view pattern, std::string_view name, std::string& block) {
    block.clear();
    return fits_rest(pattern, name, block);
}

MappedTensors map_tensors(const Mapping& mapping, std::span<const TensorView> source,
                          const ModelConfig& config) {
    Mapper mapper(mapping, config);
    for (const TensorView& tensor : source) mapper.take(tensor);
    return mapper.finish();
}

}  // namespace vit
