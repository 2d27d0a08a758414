// --arch for libraries other than timm: LIBRARY.NAME:KEY=VALUE,KEY=VALUE. It gives numbers that do
// not follow from the tensors.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/model/model_config.h"

namespace vit::inline internal {

struct ArchSettings {
    std::string name;  ///< without the library; "" where it is missing
    std::map<std::string, std::string, std::less<>> values;

    /// These throw Error(usage) with the key where the value is of another kind.
    std::optional<std::int64_t> count(std::string_view key) const;  ///< at least 1
    std::optional<ImageSize> size(std::string_view key) const;      ///< N or HxW
    std::optional<std::string> text(std::string_view key) const;
};

/// Throws Error(usage) where `arch` names an architecture of one of the other libraries, though the
/// tensors are named as `library` names them.
void refuse_other_library(std::string_view arch, std::string_view library);

/// Without `arch`, the result is empty. Throws Error(usage) where `arch` has another form, is of
/// another library, or has a key that is not in `keys`.
ArchSettings arch_settings(const std::optional<std::string>& arch, std::string_view library,
                           std::span<const std::string_view> keys);

}  // namespace vit::inline internal
