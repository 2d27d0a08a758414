// One record per input, in the format that the user chose.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/vit-infer/options.h"
#include "vit/model.h"

namespace vit::infer {

struct Record {
    std::string file;     ///< bytes of the name as given; "name.npy[3]" for a row
    std::string error;    ///< empty: all well
    std::string warning;  ///< empty: none; otherwise the predictions are of a damaged image
    std::vector<Prediction> predictions;
};

struct RecordStyle {
    Format format = Format::text;
    OutputType output_type = OutputType::prob;
    int columns = 0;  ///< predictions in a csv row
};

// Each appends to `out`. What lies between begin and end is complete after every record.
void append_begin(std::string& out, const RecordStyle& style);
void append_record(std::string& out, const RecordStyle& style, const Record& record, bool first);
void append_end(std::string& out, const RecordStyle& style, bool any);

}  // namespace vit::infer
