#include "weights/mappings/common/prefixes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "engine/base/text.h"
#include "vit/error.h"
#include "weights/readers/state_dict.h"

namespace vit::inline internal {

namespace {

constexpr std::size_t most_roots = 64;  // every tensor is compared with each
constexpr std::size_t longest_list = 500;

/// A tensor that every model of one library has, and the prefixes that this library itself uses.
struct Mark {
    std::string_view name;
    std::array<std::string_view, 4> own{};
};

constexpr std::array marks{
    Mark{"patch_embed.proj.weight", {"visual.trunk."}},
    Mark{"embeddings.patch_embeddings.projection.weight",
         {"vit.", "deit.", "dinov2.", "dinov2_with_registers."}},
    Mark{"embeddings.patch_embedding.weight", {"vision_model."}},
    Mark{"visual.conv1.weight"},
    Mark{"conv_proj.weight"},
    Mark{"to_patch_embedding.1.weight"},
    Mark{"to_patch_embedding.2.weight"},
};

/// Whether `name` ends with `part`, and `part` begins at the start of the name or after a dot.
bool ends_with_part(std::string_view name, std::string_view part) {
    return name.ends_with(part) &&
           (name.size() == part.size() || name[name.size() - part.size() - 1] == '.');
}

/// The text before the mark, where the tensor is a mark.
std::optional<std::string_view> root_of(std::string_view name) {
    for (const Mark& mark : marks) {
        if (!ends_with_part(name, mark.name)) continue;
        name.remove_suffix(mark.name.size());
        for (const std::string_view own : mark.own)
            if (!own.empty() && ends_with_part(name, own)) {
                name.remove_suffix(own.size());
                break;
            }
        return name;
    }
    return std::nullopt;
}

/// Removes `backbone.` from the end of `root` where heads of Facebook's training code are beside
/// it. facebook_vit.cpp handles these names.
std::string_view without_facebooks(std::string_view root, const Checkpoint& checkpoint) {
    constexpr std::string_view backbone = "backbone.";
    constexpr std::array<std::string_view, 4> heads{"dino_head.", "ibot_head.", "head.mlp.",
                                                    "head.last_layer."};
    if (!ends_with_part(root, backbone)) return root;
    const std::string_view outer = root.substr(0, root.size() - backbone.size());
    const auto is_head = [&](const TensorView& tensor) {
        const std::string_view name = tensor.name;
        return name.starts_with(outer) &&
               std::ranges::any_of(heads, [rest = name.substr(outer.size())](std::string_view h) {
                   return rest.starts_with(h);
               });
    };
    return std::ranges::any_of(checkpoint.tensors, is_head) ? outer : root;
}

/// The prefixes at which models begin, in the checkpoint's order. At most most_roots of them.
std::vector<std::string> roots_of(const Checkpoint& checkpoint) {
    std::vector<std::string_view> found;
    for (const TensorView& tensor : checkpoint.tensors) {
        const auto root = root_of(tensor.name);
        if (root && std::ranges::find(found, *root) == found.end()) found.push_back(*root);
        if (found.size() == most_roots) break;
    }
    std::vector<std::string> roots;
    for (std::string_view root : found) {
        root = without_facebooks(root, checkpoint);
        if (std::ranges::find(roots, root) == roots.end()) roots.emplace_back(root);
    }
    return roots;
}

/// Accepts the names under `prefix` that are not under another root inside it.
class Inside {
  public:
    Inside(std::string_view prefix, const std::vector<std::string>& roots) : prefix_(prefix) {
        if (std::ranges::find(roots, prefix) == roots.end()) return;
        for (const std::string& root : roots)
            if (root != prefix && root.starts_with(prefix)) others_.push_back(root);
    }
    bool operator()(std::string_view name) const {
        return name.starts_with(prefix_) &&
               std::ranges::none_of(
                   others_, [&](const std::string& other) { return name.starts_with(other); });
    }

  private:
    std::string_view prefix_;
    std::vector<std::string> others_;
};

std::string listed(const std::vector<std::string>& roots, const Checkpoint& checkpoint) {
    std::string text;
    for (std::size_t i = 0; i < roots.size(); ++i) {
        if (text.size() > longest_list) return text + ", …";
        const Inside inside(roots[i], roots);
        text += fmt::format("{}{} ({} tensors)", i == 0 ? "" : ", ", in_quotes(roots[i]),
                            std::ranges::count_if(checkpoint.tensors, [&](const TensorView& t) {
                                return inside(t.name);
                            }));
    }
    return text;
}

/// The user's prefix with a dot at its end, and without the parts that readers remove from names.
std::string normalised(std::string asked) {
    if (!asked.empty() && !asked.ends_with('.')) asked += '.';
    return without_wrappers(asked);
}

std::string choose(const Checkpoint& checkpoint, const std::vector<std::string>& roots,
                   const std::optional<std::string>& asked) {
    if (asked) {
        std::string prefix = normalised(*asked);
        if (std::ranges::any_of(checkpoint.tensors,
                                [&](const TensorView& t) { return t.name.starts_with(prefix); }))
            return prefix;
        throw Error(ErrorKind::usage,
                    fmt::format("--prefix: no tensor's name begins with {}{}", in_quotes(prefix),
                                roots.empty() ? ""
                                              : "; Vision Transformers begin at " +
                                                    listed(roots, checkpoint)));
    }
    if (roots.size() > 1)
        throw Error(ErrorKind::usage,
                    fmt::format("found {}{} Vision Transformers, under the prefixes {}; choose one "
                                "with --prefix NAME.",
                                roots.size(), roots.size() < most_roots ? "" : " or more",
                                listed(roots, checkpoint)));
    return roots.empty() ? std::string() : roots[0];
}

std::string note_of(const Selection& selection) {
    std::string note = fmt::format("took the prefix {} off {} names", in_quotes(selection.prefix),
                                   selection.checkpoint.tensors.size());
    if (!selection.outside.empty())
        note += fmt::format("; left out {} that lie outside of it, such as {}",
                            selection.outside.size(), in_quotes(selection.outside[0].name));
    return note;
}

}  // namespace

Selection select_prefix(const Checkpoint& checkpoint, const std::optional<std::string>& asked) {
    const std::vector<std::string> roots = roots_of(checkpoint);
    Selection out{checkpoint, choose(checkpoint, roots, asked), {}};
    const Inside inside(out.prefix, roots);
    const std::string elsewhere = fmt::format("lies outside the prefix {}", in_quotes(out.prefix));
    std::erase_if(out.checkpoint.tensors, [&](TensorView& tensor) {
        const bool counter = tensor.name == out.prefix + "n_averaged";
        if (inside(tensor.name) && !counter) {
            tensor.name.erase(0, out.prefix.size());
            return false;
        }
        out.outside.push_back(
            {tensor.name, false,
             counter ? "counts the averages of torch's AveragedModel" : elsewhere});
        return true;
    });
    for (OtherEntry& entry : out.checkpoint.other_entries)
        if (inside(entry.name)) entry.name.erase(0, out.prefix.size());
    if (!out.prefix.empty() || !out.outside.empty()) out.checkpoint.notes.push_back(note_of(out));
    return out;
}

}  // namespace vit::inline internal
