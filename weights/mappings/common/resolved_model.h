// A checkpoint's configuration as explicit numbers. Every source returns it.
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

    ImageSize table_size;  ///< image size of the checkpoint's position table, by its configuration
    ImageSize build_size;  ///< image size for which the source builds the model; the table is
                           ///< resized to it, and then to config.image_size
    std::optional<std::int64_t> table_prefix_rows;  ///< TableResize::prefix_rows
    std::int64_t label_offset = 0;           ///< leading rows of the head that are not classes
    std::span<const MappingRule> droppable;  ///< rules that are tried before the source's own
    std::vector<MadeTensor> made;

    std::vector<ReportLine> keys;  ///< every configuration key: used, or why it is dropped
    std::vector<std::string> notes;
};

}  // namespace vit::inline internal
