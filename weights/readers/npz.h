// NumPy's .npz archives: a zip of .npy arrays, stored or deflated.
#pragma once

#include <cstddef>
#include <deque>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "engine/model/tensor.h"
#include "weights/readers/npy.h"
#include "weights/readers/zip_members.h"

namespace vit::inline internal {

struct NpzArrays {
    std::vector<TensorView> tensors;  ///< in the archive's order, named without ".npy"
    /// Inflated or reordered elements. All others are views into the archive.
    std::deque<std::vector<std::byte>> owned;
};

/// Returns whether one of the members is an .npy array.
bool is_npz(std::span<const ZipMember> members);

/// Reads the `members` of the archive `bytes`. Verifies all headers, sizes and checksums before it
/// allocates memory for elements (0.4 GB take a second). Refuses archives that inflate to more than
/// three times their size plus 64 MiB. `where` names the archive in messages.
/// Throws Error(format), Error(unsupported).
NpzArrays parse_npz(std::span<const std::byte> bytes, std::span<const ZipMember> members,
                    std::string_view where);

/// Reads all arrays of a file. Each owns its elements. Throws Error(io), Error(format),
/// Error(unsupported).
std::vector<NpyArray> read_npz(const std::filesystem::path& path);

}  // namespace vit::inline internal
