// Recognises a checkpoint's container by its first bytes.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace vit::inline internal {

enum class Container { safetensors, zip, torch_legacy };

/// Throws Error(format) for anything else, with advice for common cases: torch's tar format, other
/// pickles, Git LFS pointers, web pages, files of other frameworks.
Container tell_container(std::span<const std::byte> bytes, std::string_view where);

}  // namespace vit::inline internal
