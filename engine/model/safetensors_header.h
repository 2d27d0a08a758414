// The JSON header of a safetensors file, read as text: entries as they stand, offsets not yet
// judged.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/tensor.h"

namespace vit::inline internal {

struct SafetensorsEntry {
    std::string name;
    DType dtype = DType::f32;
    Shape shape;
    std::uint64_t begin = 0;  ///< bytes from the end of the header
    std::uint64_t end = 0;
};

struct SafetensorsHeader {
    std::vector<SafetensorsEntry> entries;  ///< in the header's order, names distinct
    std::map<std::string, std::string> metadata;
};

inline constexpr std::size_t max_tensors = 65'536;
inline constexpr std::size_t max_rank = 8;

/// Parses `text` (the header's bytes). `file` is for messages. Throws Error(format) naming the
/// offset in the file, Error(unsupported) for an element type that is valid but not read here.
///
/// The grammar of a header is closed (three levels, strings and whole numbers), so it is read
/// directly: nothing nests, and nothing is kept but the result. A general JSON parser can be made
/// to spend ten times the header in its error message alone.
SafetensorsHeader parse_safetensors_header(std::string_view text, std::string_view file);

}  // namespace vit::inline internal
