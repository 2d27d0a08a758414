// The content of a zip archive's member.
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <string_view>
#include <vector>

#include "weights/readers/zip_members.h"

namespace vit::inline internal {

/// Returns a view of the archive where the member is stored. Otherwise inflates it into `owned`.
/// Verifies length and checksum; 0 means that there is no checksum. `where` names the archive in
/// messages. Throws Error(format).
std::span<const std::byte> member_bytes(const ZipMember& member, std::string_view where,
                                        std::deque<std::vector<std::byte>>& owned);

/// Refuses members that would inflate to more than three times their bytes plus 64 MiB in all.
/// Throws Error(format).
void check_inflation(std::span<const ZipMember> members, std::string_view where);

}  // namespace vit::inline internal
