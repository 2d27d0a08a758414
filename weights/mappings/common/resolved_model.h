// A checkpoint's configuration as explicit numbers. Every source produces this.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/model/model_config.h"
#include "weights/mappings/common/mapping.h"
#include "weights/mappings/common/report.h"

namespace vit::inline internal {

struct ResolvedModel {
    ModelConfig config;
    Preprocessing preprocessing;
    std::vector<std::string> labels;

    ImageSize table_size;  ///< image size of the checkpoint's position table
    ImageSize build_size;  ///< image size for which the source builds the model; it resizes
                           ///< the table to it first, and then to config.image_size
    std::optional<std::int64_t> table_prefix_rows;  ///< TableResize::prefix_rows
    std::int64_t label_offset = 0;           ///< leading rows of the head that are not classes
    std::span<const MappingRule> droppable;  ///< rules that come before the rules of the source
    std::vector<MadeTensor> made;

    std::vector<ReportLine> keys;  ///< every configuration key: used, or why it is dropped
    std::vector<std::string> notes;
};

}  // namespace vit::inline internal
