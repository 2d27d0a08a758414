// Which container a checkpoint is, told by its first bytes.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace vit::inline internal {

enum class Container { safetensors, zip, torch_legacy };

/// Throws Error(format) with advice for what else is often found under a checkpoint's name: torch's
/// tar format, other pickles, Git LFS pointers, web pages, other frameworks' files.
Container tell_container(std::span<const std::byte> bytes, std::string_view where);

}  // namespace vit::inline internal
