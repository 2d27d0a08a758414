// --arch for other libraries than timm: LIBRARY.NAME:KEY=VALUE,KEY=VALUE, for numbers that are not
// in the tensors.
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
    std::string name;  ///< without the library; "" where none is given
    std::map<std::string, std::string, std::less<>> values;

    /// Throw Error(usage) naming the key where the value is not of this kind.
    std::optional<std::int64_t> count(std::string_view key) const;  ///< from 1 on
    std::optional<ImageSize> size(std::string_view key) const;      ///< N or HxW
    std::optional<std::string> text(std::string_view key) const;
};

/// Throws Error(usage) where `arch` names an architecture of one of the other libraries, though the
/// tensors are named as `library` names them.
void refuse_other_library(std::string_view arch, std::string_view library);

/// `arch` may be missing: nothing is set then. Throws Error(usage) where it is of another form, of
/// another library or has a key that is not in `keys`.
ArchSettings arch_settings(const std::optional<std::string>& arch, std::string_view library,
                           std::span<const std::string_view> keys);

}  // namespace vit::inline internal
