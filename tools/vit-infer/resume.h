// What an interrupted run has already written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tools/vit-infer/options.h"
#include "tools/vit-infer/part_file.h"

namespace vit::infer {

/// A complete record in a file in jsonl.
struct EarlierRecord {
    std::size_t name_hash = 0;  ///< std::hash of the input's name; 0: unknown
    bool failed = false;
    std::uint64_t end = 0;  ///< offset of the byte after the record
};

/// Reads records until the end, or until one that is not complete. Throws Error(input) where a
/// complete line is no record of vit-infer.
std::vector<EarlierRecord> read_records(const PartFile& file);

/// Whether every output of a run is complete already.
bool is_done(const Options& options);

}  // namespace vit::infer
