// The names that a checkpoint's pickle may refer to. Everything else is refused.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace vit::inline internal {

/// What the reader does when the pickle calls or uses the name.
enum class GlobalRole : std::uint8_t {
    ordered_dict,
    rebuild_tensor,  ///< before PyTorch 0.4
    rebuild_tensor_v2,
    rebuild_tensor_v3,
    rebuild_parameter,
    rebuild_parameter_with_state,
    rebuild_from_type_v2,
    torch_size,
    argparse_namespace,
    storage_class,
    dtype,
    other_dict,    ///< Counter, defaultdict: read as a mapping
    inert_call,    ///< only the kind of its result is kept
    inert_tensor,  ///< the same, for a tensor that cannot be read
    tensor_class,  ///< torch.Tensor and Parameter: may be named, not called
    inert_name,    ///< any other name that may be named, not called
};

struct KnownGlobal {
    std::string_view module;
    std::string_view name;
    GlobalRole role;
    std::string_view kind = {};  ///< of the result of an inert call: "a device"
};

std::span<const KnownGlobal> pickle_globals() noexcept;
/// Index into pickle_globals(); nothing for an unknown name.
std::optional<std::uint32_t> find_pickle_global(std::string_view module, std::string_view name);

}  // namespace vit::inline internal
