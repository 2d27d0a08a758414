// Parses --arch for libraries other than timm: LIBRARY.NAME:KEY=VALUE,KEY=VALUE. It gives numbers
// that are not in the tensors.
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

    /// The value of `key`; nothing where it is not set. count() and size() throw Error(usage) with
    /// the key where the value has another form.
    std::optional<std::int64_t> count(std::string_view key) const;  ///< 1 to 2^20
    std::optional<ImageSize> size(std::string_view key) const;      ///< N or HxW
    std::optional<std::string> text(std::string_view key) const;
};

/// Throws Error(usage) where `arch` names an architecture of torchvision, vit-pytorch, CLIP or
/// Facebook. `library` is the library whose names the tensors have, for the message.
void refuse_other_library(std::string_view arch, std::string_view library);

/// Parses `arch`. Sets nothing where it is missing. Throws Error(usage) where it has another form,
/// is of another library than `library`, has a key twice, or has a key that is not in `keys`.
ArchSettings arch_settings(const std::optional<std::string>& arch, std::string_view library,
                           std::span<const std::string_view> keys);

}  // namespace vit::inline internal
