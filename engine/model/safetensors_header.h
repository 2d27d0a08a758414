// Reads the JSON header of a safetensors file. It returns the entries as written and does not check
// their offsets.
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
    std::uint64_t begin = 0;  ///< counted from the end of the header
    std::uint64_t end = 0;
};

struct SafetensorsHeader {
    std::vector<SafetensorsEntry> entries;  ///< in the order of the header; names are distinct
    std::map<std::string, std::string> metadata;
};

inline constexpr std::size_t max_tensors = 65'536;
inline constexpr std::size_t max_rank = 8;

/// Parses `text`, the bytes of the header. `file` is for messages. Throws Error(format) with the
/// offset in the file, and Error(unsupported) for an element type that is valid but not read here.
///
/// The grammar of a header is fixed (three levels, strings and whole numbers). So this function
/// reads it directly, without recursion, and keeps only the result. A general JSON parser can be
/// tricked into using ten times the size of the header for its error message alone.
SafetensorsHeader parse_safetensors_header(std::string_view text, std::string_view file);

}  // namespace vit::inline internal
