#include "weights/mappings/common/mapping.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <map>
#include <set>

#include "engine/base/text.h"
#include "engine/model/position_table.h"
#include "vit/error.h"
#include "weights/mappings/common/hints.h"
#include "weights/mappings/common/patterns.h"
#include "weights/mappings/common/tensor_parts.h"

namespace vit::inline internal {

namespace {

[[noreturn]] void refuse(const std::string& what) {
    throw Error(ErrorKind::model, what);
}

/// True where a tensor whose name has no number goes to every block.
bool stacked(const MappingRule& rule, const std::vector<std::string>& numbers) {
    return numbers.empty() && rule.canonical.find('#') != std::string_view::npos;
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
        std::vector<std::string> numbers;
        bool known = false;
        for (const auto& table : {mapping_.droppable, mapping_.rules})
            for (const MappingRule& rule : table) {
                if (!fits_here(rule, tensor.name, numbers)) continue;
                if (rule.transform == Transform::drop) return dropped(tensor, rule.note);
                if (rule.transform == Transform::class_rows && config_.num_classes == 0)
                    return dropped(tensor, "num_classes is 0: the model has no head");
                const std::vector<std::string> first =
                    stacked(rule, numbers) ? std::vector<std::string>{"0"} : numbers;
                if (specs_of(targets_of(rule.canonical, first))) return use(tensor, rule, numbers);
                known = true;
            }
        if (known) not_in_model(tensor);
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
    bool fits_here(const MappingRule& rule, std::string_view name,
                   std::vector<std::string>& numbers) {
        if (!rule.source.starts_with('~')) return fits(rule.source, name, numbers);
        const std::string_view pattern = rule.source.substr(1);
        for (const std::string_view prefix : mapping_.prefixes) {
            if (!name.starts_with(prefix) || !fits(pattern, name.substr(prefix.size()), numbers))
                continue;
            prefix_ = prefix;
            return true;
        }
        return fits(pattern, name, numbers);
    }

    /// What the source calls it, were it there.
    std::string name_of(const MappingRule& rule, const std::vector<std::string>& numbers) const {
        const std::string name = filled(rule.source, numbers);
        return name.starts_with('~') ? std::string(prefix_) + name.substr(1) : name;
    }

    void dropped(const TensorView& tensor, std::string_view why) {
        out_.report.push_back({tensor.name, false, std::string(why)});
        out_.notes.push_back(fmt::format("dropped {}: {}", in_quotes(tensor.name), why));
    }

    /// What the model says of these tensors; nothing where it lacks one of them.
    std::optional<std::vector<TensorSpec>> specs_of(const std::vector<Target>& targets) const {
        std::vector<TensorSpec> out;
        for (const Target& target : targets) {
            const auto found = index_.find(target.name);
            if (found == index_.end()) return {};
            out.push_back(specs_[found->second]);
        }
        return out;
    }

    void use(const TensorView& tensor, const MappingRule& rule,
             const std::vector<std::string>& numbers) {
        used_.insert(&rule);
        seen_.insert(tensor.name);
        std::string what(rule.canonical);
        if (stacked(rule, numbers)) {
            Shape each = tensor.shape;
            if (each.empty() || each[0] != config_.depth)
                refuse(
                    fmt::format("tensor {}: expected one part for each of the {} blocks, found "
                                "shape {}",
                                in_quotes(tensor.name), config_.depth, to_string(each)));
            each.erase(each.begin());
            const TensorView all = as_f32(tensor);
            for (std::int64_t n = 0; n < config_.depth; ++n) {
                TensorView part = rows(all, n, 1);
                part.name = fmt::format("{}[{}]", tensor.name, n);
                part.shape = each;
                place(part, rule, {std::to_string(n)});
            }
        } else {
            std::vector<std::string> names;
            for (const Target& target : targets_of(rule.canonical, numbers))
                names.push_back(target.name);
            what = fmt::format("{}", fmt::join(names, ", ")) + place(tensor, rule, numbers);
        }
        if (!rule.note.empty()) what += fmt::format(" ({})", rule.note);
        out_.report.push_back({tensor.name, true, what});
    }

    /// Puts the tensor where its rule says. Returns what else is to be said.
    std::string place(const TensorView& tensor, const MappingRule& rule,
                      const std::vector<std::string>& numbers) {
        const std::vector<Target> targets = targets_of(rule.canonical, numbers);
        const std::vector<TensorSpec> specs = specs_of(targets).value();
        for (const TensorSpec& spec : specs)
            if (const std::string& from = from_[index_.find(spec.name)->second]; !from.empty())
                refuse(fmt::format("tensors {} and {} are both {}", in_quotes(from),
                                   in_quotes(tensor.name), spec.name));
        std::string more;
        const std::vector<TensorView> parts = changed(tensor, rule, targets, specs, numbers, more);
        for (std::size_t part = 0; part < parts.size(); ++part) {
            const std::size_t at = index_.find(specs[part].name)->second;
            views_[at] = parts[part];
            views_[at].name = specs[part].name;
            from_[at] = tensor.name;
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

    /// [1, rows, D], as tokens and tables are stored; some libraries leave the 1 out.
    bool is_row_of_rows(const TensorView& tensor) const {
        return tensor.shape.size() == 3 || (tensor.shape.size() < 3 && mapping_.library != "timm");
    }

    [[noreturn]] static void wrong_shape(const TensorView& tensor, const Shape& expected) {
        refuse(fmt::format("tensor {}: expected shape {}, found {}; {}", in_quotes(tensor.name),
                           to_string(expected), to_string(tensor.shape),
                           shape_hint(tensor.name, tensor.shape, expected)));
    }

    /// How a source lays out what goes to `specs`, and the order in which its axes are read.
    struct Layout {
        Shape shape;
        std::vector<std::size_t> axes;  ///< empty: as they are
    };
    Layout layout(Transform transform, const std::vector<TensorSpec>& specs) const {
        const Shape& shape = specs[0].shape;
        const std::int64_t heads =
            specs[0].name.starts_with("attn_pool.") ? config_.pool_heads : config_.heads;
        const std::int64_t h = config_.patch_height, w = config_.patch_width, c = config_.in_chans;
        Shape out = shape;
        switch (transform) {
            case Transform::split_rows:
                for (std::size_t i = 1; i < specs.size(); ++i) out[0] += specs[i].shape[0];
                return {out, {}};
            case Transform::split_columns:
                for (std::size_t i = 1; i < specs.size(); ++i) out[1] += specs[i].shape[1];
                return {out, {}};
            case Transform::diff_lambda:
                return {{config_.head_dim / 2}, {}};
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

    /// The targets' values; none yet where more sources have to come.
    std::vector<TensorView> changed(const TensorView& tensor, const MappingRule& rule,
                                    const std::vector<Target>& targets,
                                    const std::vector<TensorSpec>& specs,
                                    const std::vector<std::string>& numbers, std::string& what) {
        const Transform transform = rule.transform;
        const TensorSpec& spec = specs[0];
        TensorView plain = as_f32(tensor);
        Shape& shape = plain.shape;
        if (transform == Transform::position_table) return {table(plain, tensor, spec, what)};
        if (transform == Transform::squeeze && is_row_of_rows(tensor))
            while (shape.size() > spec.shape.size() && shape.front() == 1)
                shape.erase(shape.begin());
        if (transform == Transform::patch_kernel &&
            shape == Shape{spec.shape[0], spec.shape[1] * spec.shape[2] * spec.shape[3]}) {
            what += " (unflattened)";
            shape = spec.shape;
        }
        const Layout source = layout(transform, specs);
        if (shape != source.shape || (transform == Transform::squeeze && !is_row_of_rows(tensor)))
            wrong_shape(tensor, source.shape);
        const std::int64_t h = config_.patch_height, w = config_.patch_width, c = config_.in_chans;
        const auto permute = [&](const Shape& from, std::initializer_list<std::size_t> axes) {
            const std::vector<std::size_t> order(axes);
            return std::vector{own("", spec.shape, permuted(to_f32(plain), from, order))};
        };
        switch (transform) {
            case Transform::split_rows:
                return split_rows(plain, targets, specs);
            case Transform::split_columns:
                return split_columns(plain, specs);
            case Transform::class_rows:
                return {rows(plain, mapping_.label_offset, spec.shape[0])};
            case Transform::patch_rows:
                return permute({shape[0], h, w, c}, {0, 3, 1, 2});
            case Transform::patch_values:
                return permute({h, w, c}, {2, 0, 1});
            case Transform::diff_lambda:
                return lambda(plain, tensor.name, numbers[0]);
            case Transform::diff_sub_norm: {
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

    std::vector<TensorView> split_rows(const TensorView& plain, const std::vector<Target>& targets,
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

    std::vector<TensorView> split_columns(const TensorView& plain,
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

    /// The block's lambda once all four vectors have come.
    std::vector<TensorView> lambda(const TensorView& plain, const std::string& name,
                                   const std::string& block) {
        auto& vectors = lambdas_[block];
        vectors[name.substr(name.size() - 2)] = to_f32(plain);
        if (vectors.size() < 4) return {};
        return {own("", {1},
                    {diff_lambda(vectors.at("q1"), vectors.at("k1"), vectors.at("q2"),
                                 vectors.at("k2"), std::stoll(block))})};
    }

    TensorView table(const TensorView& plain, const TensorView& tensor, const TensorSpec& spec,
                     std::string& what) {
        Shape shape = tensor.shape;
        while (shape.size() > 2 && shape.front() == 1) shape.erase(shape.begin());
        const std::int64_t dim = spec.shape[1];
        const Shape expected{1, spec.shape[0], dim};
        if (!is_row_of_rows(tensor)) wrong_shape(tensor, expected);
        const std::int64_t all_prefix = config_.no_embed_class ? 0 : config_.prefix_tokens();
        const std::int64_t prefix = mapping_.resize.prefix_rows.value_or(all_prefix);
        if (shape.size() != 2 || shape[1] != dim || shape[0] <= prefix)
            wrong_shape(tensor, expected);
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

    [[noreturn]] void not_in_model(const TensorView& tensor) const {
        std::vector<std::string> numbers;
        std::string why =
            "the architecture and its arguments have no such part" + extra_hint(tensor.name);
        if (fits("blocks.#.*", tensor.name, numbers) && numbers[0].size() < 10 &&
            std::stoll(numbers[0]) >= config_.depth)
            why = fmt::format("the architecture has {} blocks", config_.depth);
        refuse(fmt::format("tensor {} {} is not part of the model: {}", in_quotes(tensor.name),
                           to_string(tensor.shape), why));
    }

    /// Names the tensor as the source would; of several namings, as the source's other tensors are.
    [[noreturn]] void missing(const TensorSpec& spec) const {
        const std::vector<std::string> numbers = numbers_in(spec.name);
        enum class Naming { used, sibling_used, any };
        const auto sibling_used = [&](const MappingRule& rule) {
            const std::string_view stem = rule.source.substr(0, rule.source.rfind('.'));
            return std::ranges::any_of(used_, [&](const MappingRule* other) {
                return other->source.substr(0, other->source.rfind('.')) == stem;
            });
        };
        const auto named_so = [&](const MappingRule& rule, Naming naming) {
            return naming == Naming::any ||
                   (naming == Naming::used ? used_.contains(&rule) : sibling_used(rule));
        };
        for (const Naming naming : {Naming::used, Naming::sibling_used, Naming::any})
            for (const auto& table : {mapping_.droppable, mapping_.rules})
                for (const MappingRule& rule : table)
                    if (rule.transform != Transform::drop && named_so(rule, naming) &&
                        std::ranges::count(rule.canonical, '#') == std::ssize(numbers))
                        name_missing(rule, spec, numbers);
        refuse(fmt::format("tensor '{}' is missing", spec.name));
    }

    /// Throws where the rule would have made `spec` of a tensor that is not there.
    void name_missing(const MappingRule& rule, const TensorSpec& spec,
                      const std::vector<std::string>& numbers) const {
        const std::vector<Target> targets = targets_of(rule.canonical, numbers);
        const auto specs = specs_of(targets);
        const std::string name = name_of(rule, numbers);
        if (!specs || seen_.contains(name) ||
            std::ranges::none_of(targets, [&](const Target& t) { return t.name == spec.name; }))
            return;
        const Shape shape = layout(rule.transform, *specs).shape;
        for (const OtherEntry& other : mapping_.other_entries)
            if (other.name == name)
                refuse(fmt::format("tensor '{}': expected shape {}, found {}", name,
                                   to_string(shape), other.kind));
        refuse(fmt::format("tensor '{}' is missing: expected shape {}{}", name, to_string(shape),
                           mapping_.library == "timm" ? missing_hint(name, seen_) : ""));
    }

    const Mapping& mapping_;
    const ModelConfig& config_;
    std::vector<TensorSpec> specs_;
    std::map<std::string, std::size_t, std::less<>> index_;
    std::vector<TensorView> views_;
    std::vector<std::string> from_;  ///< source name of each required tensor
    std::set<const MappingRule*> used_;
    std::set<std::string, std::less<>> seen_;  ///< source names that were used
    std::map<std::string, std::map<std::string, std::vector<float>>> lambdas_;  ///< by block
    std::string_view prefix_;  ///< the one that tensors had
    MappedTensors out_;
};

}  // namespace

MappedTensors map_tensors(const Mapping& mapping, std::span<const TensorView> source,
                          const ModelConfig& config) {
    Mapper mapper(mapping, config);
    for (const TensorView& tensor : source) mapper.take(tensor);
    return mapper.finish();
}

}  // namespace vit::inline internal
