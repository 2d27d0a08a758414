// Code that the tests of this room share.
#pragma once

#include "tests/support/files.h"

namespace vit::test {

inline std::filesystem::path data_file(std::string_view name) {
    return std::filesystem::path(VIT_TEST_DATA) / "readers" / name;
}

/// A file that tools/fixtures/torch_formats.py made.
inline std::filesystem::path format_file(std::string_view name) {
    return std::filesystem::path(VIT_TEST_DATA) / "torch_formats" / name;
}

}  // namespace vit::test
