// One row of a mapping: a pattern of source names, the canonical name, and the change of the
// values.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vit::inline internal {

/// How to change a source tensor into the model's. Shapes are those of the source tensor.
enum class TensorTransform {
    as_is,           ///< the canonical shape
    squeeze,         ///< leading extents of 1 are removed
    patch_kernel,    ///< [D, C, h, w], or flattened to [D, C * h * w]
    position_table,  ///< [1, rows, D]; resized for another image size
    split_rows,      ///< the targets' rows one after another
    split_columns,   ///< the targets' columns one after another
    copies,          ///< every target gets the same values
    class_rows,      ///< head; leading rows that are not classes are left out
    transpose,       ///< [in, out]
    heads_in,        ///< [D, heads, head_dim]: kernels of queries, keys and values
    heads_out,       ///< [heads, head_dim, D]: kernel of attn.proj
    heads_bias,      ///< [heads, head_dim]
    patch_hwio,      ///< [h, w, C, D]
    patch_rows,      ///< [D, h * w * C]: a linear layer on flattened patches, channels last
    patch_values,    ///< [h * w * C]: a norm of such patches
    diff_lambda,     ///< one of four vectors that become differential attention's lambda
    diff_sub_norm,   ///< [head_dim]; multiplied by 1 - the block's initial lambda
    drop,            ///< never used; `note` says why
};

/// One row of a mapping. In `source` and `canonical`:
/// - `#` is a number: the first is the number of a block, the second that of a layer in the block;
/// - `$` at the end is `weight` or `bias`: such a rule is two rules.
/// In `source`:
/// - `~` at the start is one of the mapping's prefixes, or nothing;
/// - text in [brackets] may be missing;
/// - `@` is a number that is ignored, and `*` at the end is any text.
/// In `canonical`:
/// - "attn.{q,k,v}.weight" names several targets;
/// - "q1&q2" names two targets whose half-heads alternate (differential attention);
/// - where `canonical` has `#` but the tensor's name has no number, the tensor has all blocks in
///   order.
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

/// The rules in the same order. A rule with `$` becomes one for `weight` and one for `bias`.
std::vector<WrittenRule> written_out(std::span<const MappingRule> rules);

}  // namespace vit::inline internal
