// Reads the content of a member of a zip archive.
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <string_view>
#include <vector>

#include "weights/readers/zip_members.h"

namespace vit::inline internal {

/// The content of `member`. It is a view into the archive where the member is stored without
/// compression. Otherwise the content is inflated into a new element of `owned`. `where` names the
/// archive in messages. Throws Error(format) where the length of an inflated member is wrong, or
/// where the checksum is wrong and not 0. Throws Error(memory).
std::span<const std::byte> member_bytes(const ZipMember& member, std::string_view where,
                                        std::deque<std::vector<std::byte>>& owned);

/// Throws Error(format) where the members together inflate to more than three times their bytes in
/// the archive plus 64 MiB.
void check_inflation(std::span<const ZipMember> members, std::string_view where);

}  // namespace vit::inline internal
