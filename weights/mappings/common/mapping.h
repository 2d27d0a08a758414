// Maps the tensors of a checkpoint to the model's tensors with a table of rules. A new source of
// the same models needs only a new table.
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

/// How to resize a model's position table to its image size.
struct TableResize {
    std::vector<ImageSize> said_grids;  ///< in patches; the first with the table's number of rows
                                        ///< is its grid, otherwise the grid is a square
    std::vector<TableStep> steps;       ///< grids to resize to, in this order
    /// Number of leading rows of the source's table that are not patches. Set where it is below the
    /// model's number of prefix tokens. The other prefix tokens then get rows of zeros.
    std::optional<std::int64_t> prefix_rows;
};

/// A tensor that the source does not store, because it computes or implies the values.
struct MadeTensor {
    std::string name;  ///< canonical
    std::vector<float> values;
    std::string note;  ///< its origin
};

struct MappedTensors {
    std::vector<TensorView> tensors;  ///< canonical names, order of required_tensors, all float32
    std::vector<std::shared_ptr<const std::vector<float>>> owned;  ///< values of changed tensors
    std::vector<ReportLine> report;  ///< every source tensor, in the source's order
    std::vector<std::string> notes;
};

/// How to map the tensors of one checkpoint to the model's.
struct Mapping {
    std::string_view library;  ///< the library that these names are from, for messages
    std::span<const MappingRule> rules;
    std::span<const MappingRule> droppable;  ///< tried before `rules`
    std::span<const MadeTensor> made;
    std::span<const std::string_view> prefixes;  ///< the prefixes that `~` matches
    TableResize resize;
    std::int64_t label_offset = 0;              ///< leading rows of the head that are not classes
    std::span<const OtherEntry> other_entries;  ///< entries that are not tensors
};

/// Maps every source tensor with the first rule that fits its name and whose targets the model has.
/// Throws Error(model) with the tensor's name where a tensor is missing, is not part of the model,
/// has an unexpected shape, comes twice, or has a value that is not finite.
MappedTensors map_tensors(const Mapping& mapping, std::span<const TensorView> source,
                          const ModelConfig& config);

}  // namespace vit::inline internal
