// Tensor mappings are tables: a pattern of source names, the canonical name, and what is done on
// the way. A new source of the same models is one more table.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/model_file.h"
#include "weights/mappings/common/report.h"
#include "weights/readers/checkpoint.h"

namespace vit::inline internal {

enum class Transform {
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

/// `#` stands for a number: of a block, then of what is side by side in it. In `source`, `~` at the
/// beginning stands for one of the mapping's prefixes or nothing, text in [brackets] may be left
/// out, `@` stands for a number that does not matter, and `*` at the end for anything. `canonical`
/// may name several
/// targets, "attn.{q,k,v}.weight"; "q1&q2" are two whose half-heads take turns (differential
/// attention). Where `canonical` has `#` and the tensor's name no number, it holds all blocks, one
/// after the other.
struct MappingRule {
    std::string_view source;
    std::string_view canonical;
    Transform transform;
    std::string_view note;
};

struct TableStep {
    ImageSize grid;  ///< in patches
    TableInterpolation interpolation = TableInterpolation::bicubic;
};

/// How one model's position table is brought to its image size.
struct TableResize {
    std::vector<ImageSize> said_grids;  ///< in patches; the first one that has the table's rows is
                                        ///< its grid, else it is taken as square
    std::vector<TableStep> steps;       ///< grids to resize to, in turn
    /// Leading rows of the source's table that are no patches, where it has fewer than the model
    /// has prefix tokens; the others get rows of zeros.
    std::optional<std::int64_t> prefix_rows;
};

/// A tensor that the source computes or implies instead of storing it.
struct MadeTensor {
    std::string name;  ///< canonical
    std::vector<float> values;
    std::string note;  ///< where it comes from
};

struct MappedTensors {
    std::vector<TensorView> tensors;  ///< canonical names, order of required_tensors, all float32
    std::vector<std::shared_ptr<const std::vector<float>>> owned;  ///< those that were changed
    std::vector<ReportLine> report;  ///< every source tensor, in the source's order
    std::vector<std::string> notes;
};

/// How the tensors of one checkpoint become the model's.
struct Mapping {
    std::string_view library;  ///< whose names these are, for messages
    std::span<const MappingRule> rules;
    std::span<const MappingRule> droppable;  ///< come before `rules`
    std::span<const MadeTensor> made;
    std::span<const std::string_view> prefixes;  ///< what `~` stands for
    TableResize resize;
    std::int64_t label_offset = 0;              ///< leading rows of the head that are no classes
    std::span<const OtherEntry> other_entries;  ///< what stands among the tensors and is none
};

/// Maps every source tensor by the first rule that fits its name and whose targets the model has.
/// Throws Error(model) naming the
/// tensor: missing, not part of the model, of another shape than expected, there twice, or not
/// finite.
MappedTensors map_tensors(const Mapping& mapping, std::span<const TensorView> source,
                          const ModelConfig& config);

}  // namespace vit::inline internal
