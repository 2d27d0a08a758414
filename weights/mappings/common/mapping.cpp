#include "weights/mappings/common/mapping.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "engine/base/text.h"
#include "engine/model/model_tensors.h"
#include "vit/error.h"
#include "weights/mappings/common/hints.h"
#include "weights/mappings/common/patterns.h"
#include "weights/mappings/common/tensor_changes.h"
#include "weights/mappings/common/tensor_parts.h"

namespace vit::inline internal {

namespace {

[[noreturn]] void refuse(const std::string& what) {
    throw Error(ErrorKind::model, what);
}

/// Whether one tensor has the values of all blocks: its own name has no number, but the canonical
/// name has one.
bool stacked(const WrittenRule& rule, const std::vector<std::string>& numbers) {
    return numbers.empty() && rule.canonical.find('#') != std::string_view::npos;
}

class Mapper {
  public:
    Mapper(const Mapping& mapping, const ModelConfig& config)
        : mapping_(mapping),
          config_(config),
          rules_(written_out(mapping.rules)),
          changes_(mapping, config),
          specs_(required_tensors(config)) {
        const std::vector<WrittenRule> droppable = written_out(mapping.droppable);
        rules_.insert(rules_.begin(), droppable.begin(), droppable.end());
        for (std::size_t i = 0; i < specs_.size(); ++i) index_[specs_[i].name] = i;
        views_.resize(specs_.size());
        from_.resize(specs_.size());
    }

    void take(const TensorView& tensor) {
        std::vector<std::string> numbers;
        bool known = false;
        for (const WrittenRule& rule : rules_) {
            if (!fits_here(rule, tensor.name, numbers)) continue;
            if (rule.transform == TensorTransform::drop) return dropped(tensor, rule.note);
            if (rule.transform == TensorTransform::class_rows && config_.num_classes == 0)
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
            views_[at] = changes_.own(made.name, specs_[at].shape, made.values);
            from_[at] = made.name;
            out_.notes.push_back(fmt::format("{}: {}", made.name, made.note));
        }
        for (std::size_t i = 0; i < specs_.size(); ++i)
            if (from_[i].empty()) missing(specs_[i]);
        out_.tensors = std::move(views_);
        out_.owned = changes_.take_owned();
        std::ranges::move(changes_.take_notes(), std::back_inserter(out_.notes));
        return std::move(out_);
    }

  private:
    bool fits_here(const WrittenRule& rule, std::string_view name,
                   std::vector<std::string>& numbers) {
        if (!rule.source.starts_with('~')) return fits(rule.source, name, numbers);
        const std::string_view pattern = std::string_view(rule.source).substr(1);
        for (const std::string_view prefix : mapping_.prefixes) {
            if (!name.starts_with(prefix) || !fits(pattern, name.substr(prefix.size()), numbers))
                continue;
            prefix_ = prefix;
            return true;
        }
        return fits(pattern, name, numbers);
    }

    /// The name that the source would give to a missing tensor.
    std::string name_of(const WrittenRule& rule, const std::vector<std::string>& numbers) const {
        const std::string name = filled(rule.source, numbers);
        return name.starts_with('~') ? std::string(prefix_) + name.substr(1) : name;
    }

    void dropped(const TensorView& tensor, std::string_view why) {
        out_.report.push_back({tensor.name, false, std::string(why)});
        out_.notes.push_back(fmt::format("dropped {}: {}", in_quotes(tensor.name), why));
    }

    /// The model's specs of these tensors; nothing where the model lacks one of them.
    std::optional<std::vector<TensorSpec>> specs_of(const std::vector<Target>& targets) const {
        std::vector<TensorSpec> out;
        for (const Target& target : targets) {
            const auto found = index_.find(target.name);
            if (found == index_.end()) return {};
            out.push_back(specs_[found->second]);
        }
        return out;
    }

    void use(const TensorView& tensor, const WrittenRule& rule,
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
            const TensorView all = changes_.as_f32(tensor);
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

    /// Puts the tensor at the targets of its rule. Returns text about further changes, for the
    /// report.
    std::string place(const TensorView& tensor, const WrittenRule& rule,
                      const std::vector<std::string>& numbers) {
        const std::vector<Target> targets = targets_of(rule.canonical, numbers);
        const std::vector<TensorSpec> specs = specs_of(targets).value();
        for (const TensorSpec& spec : specs)
            if (const std::string& from = from_[index_.find(spec.name)->second]; !from.empty())
                refuse(fmt::format("tensors {} and {} are both {}", in_quotes(from),
                                   in_quotes(tensor.name), spec.name));
        std::string more;
        const std::vector<TensorView> parts =
            changes_.apply(tensor, rule, targets, specs, numbers, more);
        for (std::size_t part = 0; part < parts.size(); ++part) {
            const std::size_t at = index_.find(specs[part].name)->second;
            views_[at] = parts[part];
            views_[at].name = specs[part].name;
            from_[at] = tensor.name;
        }
        return more;
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

    /// Reports a missing tensor under the source's name. Where several rules fit, prefers a rule
    /// that other tensors of the checkpoint have used.
    [[noreturn]] void missing(const TensorSpec& spec) const {
        const std::vector<std::string> numbers = numbers_in(spec.name);
        enum class Naming { used, sibling_used, any };
        const auto stem = [](const WrittenRule& rule) {
            return std::string_view(rule.source).substr(0, rule.source.rfind('.'));
        };
        const auto sibling_used = [&](const WrittenRule& rule) {
            return std::ranges::any_of(
                used_, [&](const WrittenRule* other) { return stem(*other) == stem(rule); });
        };
        const auto named_so = [&](const WrittenRule& rule, Naming naming) {
            return naming == Naming::any ||
                   (naming == Naming::used ? used_.contains(&rule) : sibling_used(rule));
        };
        for (const Naming naming : {Naming::used, Naming::sibling_used, Naming::any})
            for (const WrittenRule& rule : rules_)
                if (rule.transform != TensorTransform::drop && named_so(rule, naming) &&
                    std::ranges::count(rule.canonical, '#') == std::ssize(numbers))
                    name_missing(rule, spec, numbers);
        refuse(fmt::format("tensor '{}' is missing", spec.name));
    }

    /// Throws where the rule builds `spec` from a tensor that is missing.
    void name_missing(const WrittenRule& rule, const TensorSpec& spec,
                      const std::vector<std::string>& numbers) const {
        const std::vector<Target> targets = targets_of(rule.canonical, numbers);
        const auto specs = specs_of(targets);
        const std::string name = name_of(rule, numbers);
        if (!specs || seen_.contains(name) ||
            std::ranges::none_of(targets, [&](const Target& t) { return t.name == spec.name; }))
            return;
        const Shape shape = changes_.source_shape(rule.transform, *specs);
        for (const OtherEntry& other : mapping_.other_entries)
            if (other.name == name)
                refuse(fmt::format("tensor '{}': expected shape {}, found {}", name,
                                   to_string(shape), other.kind));
        refuse(fmt::format("tensor '{}' is missing: expected shape {}{}", name, to_string(shape),
                           mapping_.library == "timm" ? missing_hint(name, seen_) : ""));
    }

    const Mapping& mapping_;
    const ModelConfig& config_;
    std::vector<WrittenRule> rules_;  ///< the droppable rules come first
    TensorChanges changes_;
    std::vector<TensorSpec> specs_;
    std::map<std::string, std::size_t, std::less<>> index_;
    std::vector<TensorView> views_;
    std::vector<std::string> from_;  ///< source name of each required tensor, or ""
    std::set<const WrittenRule*> used_;
    std::set<std::string, std::less<>> seen_;  ///< source names that were used
    std::string_view prefix_;                  ///< the prefix that tensors had
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
