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
    /// Elements that had to be inflated or reordered; the others are views into the archive.
    std::deque<std::vector<std::byte>> owned;
};

/// True when one of the members is an .npy array.
bool is_npz(std::span<const ZipMember> members);

/// `members` are those of the archive `bytes`. All headers, sizes and checksums are verified before
/// memory for elements is taken. Archives that inflate to more than three times their size plus
/// 64 MiB are refused (0.4 GB take a second to check). `where` names the archive in messages.
/// Throws Error(format), Error(unsupported).
NpzArrays parse_npz(std::span<const std::byte> bytes, std::span<const ZipMember> members,
                    std::string_view where);

/// All arrays, each owning its elements. Throws Error(io), Error(format), Error(unsupported).
std::vector<NpyArray> read_npz(const std::filesystem::path& path);

}  // namespace vit::inline internal
