// Records as a table on a terminal: file, label, probability and a bar.
#pragma once

#include <string>

#include "tools/common/terminal.h"
#include "tools/vit-infer/records.h"

namespace vit::infer {

/// Appends one line for each prediction. Names and labels that are too long for their column are
/// shortened.
void append_table_rows(std::string& out, const tools::Terminal& terminal, OutputType type,
                       const Record& record);

}  // namespace vit::infer
