// Writes one record per input, in the format that the user chose.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/vit-infer/options.h"
#include "vit/model.h"

namespace vit::infer {

struct Record {
    std::string file;     ///< bytes of the name as given; "name.npy[3]" for a row of a .npy file
    std::string error;    ///< empty: no error
    std::string warning;  ///< empty: no warning; otherwise the predictions are for a damaged image
    std::vector<Prediction> predictions;
};

struct RecordStyle {
    Format format = Format::text;
    OutputType output_type = OutputType::prob;
    int columns = 0;  ///< number of predictions in a csv row
};

// Each function appends to `out`. The output between begin and end consists of complete records.
void append_begin(std::string& out, const RecordStyle& style);
void append_record(std::string& out, const RecordStyle& style, const Record& record, bool first);
void append_end(std::string& out, const RecordStyle& style, bool any);

}  // namespace vit::infer
