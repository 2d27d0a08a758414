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

/// How a position table is resized to the image size.
struct TableResize {
    std::vector<ImageSize> said_grids;  ///< in patches; the first one with as many rows as the
                                        ///< table is its grid; if there is none, the grid is square
    std::vector<TableStep> steps;       ///< one after another
    /// Leading rows of the source's table that are not patches, where these are fewer than the
    /// model's prefix tokens. The other prefix tokens get rows of zeros.
    std::optional<std::int64_t> prefix_rows;
};

/// A tensor that the source computes or implies instead of storing it.
struct MadeTensor {
    std::string name;  ///< canonical
    std::vector<float> values;
    std::string note;  ///< its origin
};

struct MappedTensors {
    std::vector<TensorView> tensors;  ///< canonical names, order of required_tensors, all float32
    std::vector<std::shared_ptr<const std::vector<float>>> owned;  ///< the changed ones
    std::vector<ReportLine> report;  ///< every source tensor, in the source's order
    std::vector<std::string> notes;
};

/// How the tensors of one checkpoint become the model's.
struct Mapping {
    std::string_view library;  ///< the library that uses these names, for messages
    std::span<const MappingRule> rules;
    std::span<const MappingRule> droppable;  ///< come before `rules`
    std::span<const MadeTensor> made;
    std::span<const std::string_view> prefixes;  ///< the possible values of `~`
    TableResize resize;
    std::int64_t label_offset = 0;              ///< leading rows of the head that are not classes
    std::span<const OtherEntry> other_entries;  ///< entries of the weights that are not tensors
};

/// Maps every source tensor by the first rule that fits its name and whose targets the model has.
/// Throws Error(model) with the name of a tensor that is missing, not part of the model, of an
/// unexpected shape, present twice, or not finite.
MappedTensors map_tensors(const Mapping& mapping, std::span<const TensorView> source,
                          const ModelConfig& config);

}  // namespace vit::inline internal
