// The names that a checkpoint's pickle may refer to. Everything else is refused.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace vit {

/// What the reader does where the pickle calls or uses the name.
enum class GlobalRole : std::uint8_t {
    ordered_dict,
    rebuild_tensor_v2,
    rebuild_tensor_v3,
    rebuild_parameter,
    torch_size,
    argparse_namespace,
    storage_class,
    dtype,
};

struct KnownGlobal {
    std::string_view module;
    std::string_view name;
    GlobalRole role;
};

std::span<const KnownGlobal> pickle_globals() noexcept;
/// Index into pickle_globals().
std::optional<std::uint32_t> find_pickle_global(std::string_view module, std::string_view name);

}  // namespace vit
