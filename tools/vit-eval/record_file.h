// Reads the records that vit-infer --format jsonl writes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tools/evaluation/class_names.h"
#include "tools/evaluation/image_result.h"

namespace vit::eval {

struct RecordedClass {
    std::int64_t index = 0;
    std::string label;                         ///< the index as text where the model has no labels
    std::optional<double> probability, logit;  ///< none: it was not finite
};

struct Record {
    std::size_t line = 0;  ///< the first is 1
    std::string file;
    std::vector<RecordedClass> best;  ///< the best class first; empty: the image failed
};

/// Calls `use` for each record, with one record in memory at a time. Throws Error(io), and
/// Error(input) that names the line which is not a record.
void read_records(const std::filesystem::path& path, const std::function<void(Record)>& use);

/// The classes that occur in the records. Throws what read_records() throws, and Error(input) where
/// a class has two labels.
tools::ClassNames classes_of_records(const std::filesystem::path& path);

/// What the record of an image of class `label` tells. The likelihood of the class is known if it
/// is one of the best. Empty where the image failed or a number is missing.
std::optional<tools::ImageResult> result_of_record(const Record& record, std::int64_t label);

}  // namespace vit::eval
