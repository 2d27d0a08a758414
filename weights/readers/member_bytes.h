// The content of a zip archive's member.
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <string_view>
#include <vector>

#include "weights/readers/zip_members.h"

namespace vit::inline internal {

/// A view where the member is stored, else inflated into `owned`. Length and checksum are verified;
/// a checksum of 0 is none. `where` names the archive in messages. Throws Error(format).
std::span<const std::byte> member_bytes(const ZipMember& member, std::string_view where,
                                        std::deque<std::vector<std::byte>>& owned);

/// Refuses members that would inflate to more than three times their bytes plus 64 MiB in all.
/// Throws Error(format).
void check_inflation(std::span<const ZipMember> members, std::string_view where);

}  // namespace vit::inline internal
