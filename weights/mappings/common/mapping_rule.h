// One row of a mapping: a pattern of source names, the canonical name, and how the tensor changes.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vit::inline internal {

/// How a tensor is stored in the source, and so how it changes on the way into the model.
enum class TensorTransform {
    as_is,           ///< the canonical shape
    squeeze,         ///< leading extents of 1 are removed
    patch_kernel,    ///< [D, C, h, w], or flattened to [D, C * h * w]
    position_table,  ///< [1, rows, D]; resized for another image size
    split_rows,      ///< holds the rows of all targets, one after another
    split_columns,   ///< holds the columns of all targets, one after another
    copies,          ///< every target is the same tensor
    class_rows,      ///< of the head: leading rows that are not classes are dropped
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
/// - `$` at the end means `weight` and `bias`: such a rule counts as two rules.
/// In `source`:
/// - `~` at the start is one of the mapping's prefixes, or nothing;
/// - text in [brackets] may be missing;
/// - `@` is a number that is ignored, and `*` at the end is any text.
/// In `canonical`:
/// - "attn.{q,k,v}.weight" names several targets;
/// - "q1&q2" names two targets whose half-heads alternate (differential attention);
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

/// Returns `rules` in order, with two rules for each one that ends with `$`.
std::vector<WrittenRule> written_out(std::span<const MappingRule> rules);

}  // namespace vit::inline internal
