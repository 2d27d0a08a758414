#include "weights/mappings/mapping.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "vit/error.h"
#include "weights/mappings/hints.h"
#include "weights/mappings/patterns.h"
#include "weights/mappings/tensor_parts.h"
#include "weights/model_file/position_table.h"
#include "weights/model_file/text.h"

namespace vit {

namespace {

[[noreturn]] void refuse(const std::string& what) {
    throw Error(ErrorKind::model, what);
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
        for (const MappingRule& rule : mapping_.droppable)
            if (fits(rule.source, tensor.name, numbers)) return dropped(tensor, rule.note);
        bool known = false;
        for (const MappingRule& rule : mapping_.rules) {
            if (!fits(rule.source, tensor.name, numbers)) continue;
            if (rule.transform == Transform::drop) return dropped(tensor, rule.note);
            if (rule.transform == Transform::class_rows && config_.num_classes == 0)
                return dropped(tensor, "num_classes is 0: the model has no head");
            const std::vector<Target> targets = targets_of(rule.canonical, numbers);
            if (std::ranges::all_of(targets,
                                    [&](const Target& t) { return index_.contains(t.name); }))
                return use(tensor, rule, targets, numbers);
            known = true;
        }
        if (known) not_in_model(tensor);
        refuse(fmt::format("tensor {} {} is not part of a Vision Transformer as {} names it",
                           in_quotes(tensor.name), to_string(tensor.shape), mapping_.library));
    }

    MappedTensors finish() {
        for (std::size_t i = 0; i < specs_.size(); ++i)
            if (from_[i].empty()) missing(specs_[i]);
        out_.tensors = std::move(views_);
        return std::move(out_);
    }

  private:
    void dropped(const TensorView& tensor, std::string_view why) {
        out_.report.push_back({tensor.name, false, std::string(why)});
        out_.notes.push_back(fmt::format("dropped {}: {}", in_quotes(tensor.name), why));
    }

    void use(const TensorView& tensor, const MappingRule& rule, const std::vector<Target>& targets,
             const std::vector<std::string>& numbers) {
        std::vector<TensorSpec> specs;
        for (const Target& target : targets) {
            specs.push_back(specs_[index_.find(target.name)->second]);
            std::string& from = from_[index_.find(target.name)->second];
            if (!from.empty())
                refuse(fmt::format("tensors {} and {} are both {}", in_quotes(from),
                                   in_quotes(tensor.name), target.name));
        }
        used_.insert(&rule);
        seen_.insert(tensor.name);
        std::vector<std::string_view> names;
        for (const Target& target : targets) names.push_back(target.name);
        std::string what = fmt::format("{}", fmt::join(names, ", "));
        std::vector<TensorView> parts = changed(tensor, rule, targets, specs, numbers, what);
        for (std::size_t part = 0; part < parts.size(); ++part) {
            const std::size_t at = index_.find(targets[part].name)->second;
            views_[at] = std::move(parts[part]);
            views_[at].name = specs_[at].name;
            from_[at] = tensor.name;
        }
        if (!rule.note.empty()) what += fmt::format(" ({})", rule.note);
        out_.report.push_back({tensor.name, true, what});
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

    /// The shape that a source tensor must have to become these.
    Shape expected_shape(Transform transform, const std::vector<TensorSpec>& specs) const {
        Shape shape = specs[0].shape;
        const auto add = [&](std::size_t axis) {
            for (std::size_t i = 1; i < specs.size(); ++i) shape[axis] += specs[i].shape[axis];
        };
        if (transform == Transform::split_rows) add(0);
        if (transform == Transform::split_columns) add(1);
        if (transform == Transform::class_rows) shape[0] += mapping_.label_offset;
        if (transform == Transform::diff_lambda) shape = {config_.head_dim / 2};
        return shape;
    }

    /// The targets' values, or nothing yet where more sources have to come.
    std::vector<TensorView> changed(const TensorView& tensor, const MappingRule& rule,
                                    const std::vector<Target>& targets,
                                    const std::vector<TensorSpec>& specs,
                                    const std::vector<std::string>& numbers, std::string& what) {
        const TensorView plain = as_f32(tensor);
        if (rule.transform == Transform::position_table)
            return {table(plain, tensor, specs[0], what)};
        const Shape expected = expected_shape(rule.transform, specs);
        Shape shape = tensor.shape;
        if (rule.transform == Transform::squeeze)
            while (shape.size() > expected.size() && shape.front() == 1) shape.erase(shape.begin());
        if (rule.transform == Transform::patch_kernel && shape.size() == 2 &&
            shape == Shape{expected[0], expected[1] * expected[2] * expected[3]}) {
            shape = expected;
            what += " (unflattened)";
        }
        if (shape != expected) wrong_shape(tensor, expected);

        switch (rule.transform) {
            case Transform::split_rows:
                return rows_of(plain, targets, specs);
            case Transform::split_columns:
                return columns_of(plain, specs);
            case Transform::class_rows:
                return {rows(plain, specs[0].shape, mapping_.label_offset)};
            case Transform::diff_lambda:
                return lambda(plain, numbers[0]);
            case Transform::diff_sub_norm: {
                std::vector<float> values = to_f32(plain);
                for (float& value : values)
                    value = static_cast<float>(static_cast<double>(value) *
                                               (1 - initial_lambda(std::stoll(numbers[0]))));
                return {own("", shape, std::move(values))};
            }
            default:
                break;
        }
        TensorView out = plain;
        out.shape = shape;
        return std::vector<TensorView>(specs.size(), out);
    }

    std::vector<TensorView> rows_of(const TensorView& plain, const std::vector<Target>& targets,
                                    const std::vector<TensorSpec>& specs) {
        std::vector<TensorView> out;
        std::int64_t begin = 0;
        for (std::size_t i = 0; i < specs.size(); ++i) {
            if (!targets[i].takes_turns) {
                out.push_back(rows(plain, specs[i].shape, begin));
                begin += specs[i].shape[0];
            } else {
                out.push_back(own("", specs[i].shape,
                                  every_other(to_f32(rows(plain, pair_shape(specs[i]), begin)),
                                              half_head_size(specs[i]), targets[i].turn)));
                if (targets[i].turn == 1) begin += 2 * specs[i].shape[0];
            }
        }
        return out;
    }

    static Shape pair_shape(const TensorSpec& spec) {
        Shape shape = spec.shape;
        shape[0] *= 2;
        return shape;
    }

    /// Numbers in the rows of half a head.
    std::size_t half_head_size(const TensorSpec& spec) const {
        return static_cast<std::size_t>(config_.head_dim / 2 *
                                        (spec.shape.size() > 1 ? spec.shape[1] : 1));
    }

    std::vector<TensorView> columns_of(const TensorView& plain,
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
    std::vector<TensorView> lambda(const TensorView& plain, const std::string& block) {
        auto& vectors = lambdas_[block];
        vectors[plain.name.substr(plain.name.size() - 2)] = to_f32(plain);
        if (vectors.size() < 4) return {};
        const float value = diff_lambda(vectors.at("q1"), vectors.at("k1"), vectors.at("q2"),
                                        vectors.at("k2"), std::stoll(block));
        return {own("", {1}, {value})};
    }

    TensorView table(const TensorView& plain, const TensorView& tensor, const TensorSpec& spec,
                     std::string& what) {
        Shape shape = tensor.shape;
        while (shape.size() > 2 && shape.front() == 1) shape.erase(shape.begin());
        const std::int64_t dim = spec.shape[1];
        const Shape expected{1, spec.shape[0], dim};
        const std::int64_t prefix = config_.no_embed_class ? 0 : config_.prefix_tokens();
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
            "the architecture and its arguments have no such part" + hint(tensor.name, true);
        if (fits("blocks.#.*", tensor.name, numbers) && numbers[0].size() < 10 &&
            std::stoll(numbers[0]) >= config_.depth)
            why = fmt::format("the architecture has {} blocks", config_.depth);
        refuse(fmt::format("tensor {} {} is not part of the model: {}", in_quotes(tensor.name),
                           to_string(tensor.shape), why));
    }

    /// Names the tensor as the source would; of several namings, as the source's other tensors are.
    [[noreturn]] void missing(const TensorSpec& spec) const {
        const std::vector<std::string> numbers = numbers_in(spec.name);
        for (const bool used : {true, false})
            for (const MappingRule& rule : mapping_.rules) {
                if (rule.transform == Transform::drop || used_.contains(&rule) != used) continue;
                if (std::ranges::count(rule.canonical, '#') !=
                    static_cast<std::ptrdiff_t>(numbers.size()))
                    continue;
                std::vector<TensorSpec> specs;
                bool makes_it = false;
                const std::vector<Target> targets = targets_of(rule.canonical, numbers);
                for (const Target& target : targets) {
                    makes_it = makes_it || target.name == spec.name;
                    const auto found = index_.find(target.name);
                    if (found != index_.end()) specs.push_back(specs_[found->second]);
                }
                const std::string name = filled(rule.source, numbers);
                if (!makes_it || specs.size() != targets.size() || seen_.contains(name)) continue;
                refuse(fmt::format("tensor '{}' is missing: expected shape {}{}", name,
                                   to_string(expected_shape(rule.transform, specs)),
                                   hint(name, false)));
            }
        refuse(fmt::format("tensor '{}' is missing", spec.name));
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
    MappedTensors out_;
};

}  // namespace

MappedTensors map_tensors(const Mapping& mapping, std::span<const TensorView> source,
                          const ModelConfig& config) {
    Mapper mapper(mapping, config);
    for (const TensorView& tensor : source) mapper.take(tensor);
    return mapper.finish();
}

}  // namespace vit
