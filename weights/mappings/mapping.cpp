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

/// `pattern` with `#` replaced and without brackets.
std::string filled(std::string_view pattern, const std::string& block) {
    std::string out(pattern);
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
            if (fits(rule.source, tensor.name, block)) return dropped(tensor, rule.note);
        for (const MappingRule& rule : mapping_.rules)
            if (fits(rule.source, tensor.name, block)) return use(tensor, rule, block);
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

    void use(const TensorView& tensor, const MappingRule& rule, const std::string& block) {
        if (rule.transform == Transform::drop) return dropped(tensor, rule.note);
        if (rule.transform == Transform::class_rows && config_.num_classes == 0)
            return dropped(tensor, "num_classes is 0: the model has no head");
        const std::vector<std::string> names = targets(rule, block);
        std::vector<std::size_t> at;
        for (const std::string& name : names) {
            const auto found = index_.find(name);
            if (found == index_.end()) not_in_model(tensor, block);
            if (!from_[found->second].empty())
                refuse(fmt::format("tensors {} and {} are both {}", in_quotes(from_[found->second]),
                                   in_quotes(tensor.name), name));
            at.push_back(found->second);
        }
        const TensorView plain = as_f32(tensor);
        std::string what = fmt::format("{}", fmt::join(names, ", "));
        for (std::size_t part = 0; part < at.size(); ++part) {
            const TensorSpec& spec = specs_[at[part]];
            views_[at[part]] = changed(plain, tensor, rule.transform, spec, part, what);
            views_[at[part]].name = spec.name;
            from_[at[part]] = tensor.name;
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

    /// Rows [begin, begin + spec's) of the first extent.
    static TensorView rows(const TensorView& plain, const Shape& shape, std::int64_t begin) {
        const std::int64_t row =
            std::accumulate(shape.begin() + 1, shape.end(), std::int64_t{1}, std::multiplies<>());
        const auto bytes = static_cast<std::size_t>(row) * sizeof(float);
        return {"", DType::f32, shape,
                plain.data.subspan(static_cast<std::size_t>(begin) * bytes,
                                   static_cast<std::size_t>(shape[0]) * bytes)};
    }

    TensorView changed(const TensorView& plain, const TensorView& tensor, Transform transform,
                       const TensorSpec& spec, std::size_t part, std::string& what) {
        Shape shape = tensor.shape;
        switch (transform) {
            case Transform::as_is:
            case Transform::drop:
                if (shape != spec.shape) wrong_shape(tensor, spec.shape);
                return plain;
            case Transform::squeeze:
                while (shape.size() > spec.shape.size() && shape.front() == 1)
                    shape.erase(shape.begin());
                if (shape != spec.shape) wrong_shape(tensor, spec.shape);
                break;
            case Transform::patch_kernel:
                if (shape.size() == 2 &&
                    shape == Shape{spec.shape[0], spec.shape[1] * spec.shape[2] * spec.shape[3]}) {
                    what += " (unflattened)";
                    break;
                }
                if (shape != spec.shape) wrong_shape(tensor, spec.shape);
                return plain;
            case Transform::split_qkv: {
                Shape all = spec.shape;
                all[0] *= 3;
                if (shape != all) wrong_shape(tensor, all);
                return rows(plain, spec.shape, static_cast<std::int64_t>(part) * spec.shape[0]);
            }
            case Transform::class_rows: {
                Shape all = spec.shape;
                all[0] += mapping_.label_offset;
                if (shape != all) wrong_shape(tensor, all);
                return rows(plain, spec.shape, mapping_.label_offset);
            }
            case Transform::position_table:
                return table(plain, tensor, spec, what);
        }
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
        const std::int64_t prefix = config_.no_embed_class ? 0 : config_.prefix_tokens();
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
        for (const MappingRule& rule : mapping_.rules) {
            if (rule.transform == Transform::drop) continue;
            const std::vector<std::string> names = targets(rule, block);
            if (std::find(names.begin(), names.end(), spec.name) == names.end()) continue;
            Shape shape = spec.shape;
            if (rule.transform == Transform::split_qkv) shape[0] *= 3;
            if (rule.transform == Transform::class_rows) shape[0] += mapping_.label_offset;
            refuse(fmt::format("tensor '{}' is missing: expected shape {}",
                               filled(rule.source, block), to_string(shape)));
        }
        refuse(fmt::format("tensor '{}' is missing", spec.name));
    }

    const Mapping& mapping_;
    const ModelConfig& config_;
    std::vector<TensorSpec> specs_;
    std::map<std::string, std::size_t, std::less<>> index_;
    std::vector<TensorView> views_;
    std::vector<std::string> from_;  ///< source name of each required tensor
    MappedTensors out_;
};

}  // namespace

bool fits(std::string_view pattern, std::string_view name, std::string& block) {
    block.clear();
    while (!pattern.empty()) {
        const char next = pattern.front();
        pattern.remove_prefix(1);
        if (next == '*') return true;
        if (next == '[') {
            const std::string_view part = pattern.substr(0, pattern.find(']'));
            pattern.remove_prefix(part.size() + 1);
            if (name.starts_with(part)) name.remove_prefix(part.size());
        } else if (next == '#') {
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

MappedTensors map_tensors(const Mapping& mapping, std::span<const TensorView> source,
                          const ModelConfig& config) {
    Mapper mapper(mapping, config);
    for (const TensorView& tensor : source) mapper.take(tensor);
    return mapper.finish();
}

}  // namespace vit
