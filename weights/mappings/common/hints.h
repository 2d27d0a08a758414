// Hints for tensors that are missing, too many, or of the wrong shape.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>

namespace vit::inline internal {

/// Returns which of timm's arguments would allow an extra tensor: "; model_args.pre_norm true has
/// it". Returns "" where there is none.
std::string extra_hint(std::string_view name);

/// Returns "; model_args.qkv_bias false does without" where all tensors of that argument are
/// missing. Otherwise returns that the checkpoint has lost some.
std::string missing_hint(std::string_view name, const std::set<std::string, std::less<>>& present);

/// Returns a possible reason for a tensor's unexpected shape.
std::string_view shape_hint(std::string_view name, std::span<const std::int64_t> found,
                            std::span<const std::int64_t> expected);

}  // namespace vit::inline internal
