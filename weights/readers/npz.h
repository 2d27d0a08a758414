// Reads NumPy's .npz archives: zip archives of .npy arrays, stored or deflated.
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
    std::vector<TensorView> tensors;  ///< in the archive's order, with names without ".npy"
    /// Elements that had to be inflated or reordered. Other tensors are views into the archive.
    std::deque<std::vector<std::byte>> owned;
};

/// True when the name of a member ends in .npy.
bool is_npz(std::span<const ZipMember> members);

/// Reads the arrays of the archive `bytes`, which must outlive the result. `members` are the
/// archive's members. Checks all headers, sizes and checksums before it allocates memory for
/// elements, which takes about a second for 0.4 GB. `where` names the archive in messages. Throws
/// Error(format) also where the arrays inflate to more than three times the archive's size plus 64
/// MiB, where a member is not an .npy array, and for more than 65,536 arrays. Throws
/// Error(unsupported), Error(memory).
NpzArrays parse_npz(std::span<const std::byte> bytes, std::span<const ZipMember> members,
                    std::string_view where);

/// Reads all arrays of a file. Each owns its elements. Throws Error(io), and as parse_npz does.
std::vector<NpyArray> read_npz(const std::filesystem::path& path);

}  // namespace vit::inline internal
