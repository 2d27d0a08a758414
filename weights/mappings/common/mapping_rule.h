// One row of a mapping: a pattern of source names, the canonical name, and what is done on the way.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vit::inline internal {

/// What is done to a tensor on its way into the model.
enum class TensorTransform {
    as_is,           ///< the canonical shape
    squeeze,         ///< leading extents of 1 go away
    patch_kernel,    ///< [D, C, h, w], or flattened to [D, C * h * w]
    position_table,  ///< [1, rows, D]; resized where the image size is another
    split_rows,      ///< the targets' rows one after another
    split_columns,   ///< the targets' columns one after another
    copies,          ///< every target is the same tensor
    class_rows,      ///< of the head: leading rows that are no classes are left out
    transpose,       ///< [in, out]
    heads_in,        ///< [D, heads, head_dim]: kernels of queries, keys and values
    heads_out,       ///< [heads, head_dim, D]: kernel of attn.proj
    heads_bias,      ///< [heads, head_dim]
    patch_hwio,      ///< [h, w, C, D]
    patch_rows,      ///< [D, h * w * C]: a linear layer on flattened patches, channels last
    patch_values,    ///< [h * w * C]: a norm of such patches
    diff_lambda,     ///< one of four vectors that become differential attention's lambda
    diff_sub_norm,   ///< [head_dim], times 1 - the block's initial lambda
    drop,            ///< never used; `note` says why
};

/// One row of a mapping. In `source` and `canonical`:
/// - `#` is a number: of a block, then of one of several layers side by side in it;
/// - `$` at the end is `weight` and `bias` in turn: such a rule is two.
/// In `source`:
/// - `~` at the beginning is one of the mapping's prefixes, or nothing;
/// - text in [brackets] may be missing;
/// - `@` is a number that does not matter, and `*` at the end is anything.
/// In `canonical`:
/// - "attn.{q,k,v}.weight" names several targets;
/// - "q1&q2" names two whose half-heads alternate (differential attention);
/// - where it has `#` and the tensor's name has no number, the tensor holds all blocks in turn.
struct MappingRule {
    std::string_view source;
    std::string_view canonical;
    TensorTransform transform = TensorTransform::as_is;
    std::string_view note = "";
};

/// A rule without `$`.
struct WrittenRule {
    std::string source;
    std::string canonical;
    TensorTransform transform;
    std::string_view note;
};

/// `rules` in order, those with `$` as one for `weight` and one for `bias`.
std::vector<WrittenRule> written_out(std::span<const MappingRule> rules);

}  // namespace vit::inline internal
