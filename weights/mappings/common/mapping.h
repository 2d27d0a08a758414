// Maps the tensors of a checkpoint to the model's by a table of rules. A new source of the same
// models is one more table.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/model_file.h"
#include "engine/model/model_tensors.h"
#include "weights/mappings/common/mapping_rule.h"
#include "weights/mappings/common/report.h"
#include "weights/readers/checkpoint.h"

namespace vit::inline internal {

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
