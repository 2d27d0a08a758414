// Writes one record per input, in the format that the user chose.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/common/terminal.h"
#include "tools/vit-infer/options.h"
#include "vit/model.h"

namespace vit::infer {

struct Record {
    std::string file;     ///< bytes of the name as given; "name.npy[3]" for a row of a .npy file
    std::string error;    ///< empty: no error
    std::string warning;  ///< empty: no warning; otherwise the predictions are for a damaged image
    std::vector<Prediction> predictions;
};

/// The error without the name of the input, where it begins with that: text shows the name anyway.
std::string_view error_alone(const Record& record);

struct RecordStyle {
    Format format = Format::text;
    OutputType output_type = OutputType::prob;
    int columns = 0;  ///< number of predictions in a csv row; 0: the model has no classes
    /// Where text goes to a terminal: it is shown as a table.
    std::optional<tools::Terminal> terminal = std::nullopt;
};

// Each function appends to `out`. The output between begin and end consists of complete records.
void append_begin(std::string& out, const RecordStyle& style);
void append_record(std::string& out, const RecordStyle& style, const Record& record, bool first);
void append_end(std::string& out, const RecordStyle& style, bool any);

}  // namespace vit::infer
