// Recognises the container of a checkpoint by its first bytes.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace vit::inline internal {

enum class Container { safetensors, zip, torch_legacy };

/// The container of a checkpoint. `where` names the file in messages. Throws Error(format) for
/// other files. The message has advice for files that often have a checkpoint's name: torch's tar
/// format, other pickles, Git LFS pointers, web pages, files of other frameworks.
Container tell_container(std::span<const std::byte> bytes, std::string_view where);

}  // namespace vit::inline internal
