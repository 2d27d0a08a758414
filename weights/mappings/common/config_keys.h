// The keys of a configuration as a table: what each one sets, or why it is ignored.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "weights/mappings/common/config_value.h"

namespace vit::inline internal {

/// One key of a configuration file, and the field of `Config` that it sets.
template <class Config>
struct ConfigKey {
    std::string_view name;
    void (*set)(Config&, const ConfigValue&);  ///< may throw Error(model); null: sets nothing
    /// Why the key, or the rest of it, is ignored; "" where it is used.
    std::string_view dropped = "";
};

/// Sets the field of the key `name`, with the first entry of that name. Returns the entry's
/// `dropped`, or nothing where `keys` has no such name.
template <class Config>
std::optional<std::string_view> set_key(Config& config, std::span<const ConfigKey<Config>> keys,
                                        std::string_view name, const ConfigValue& value) {
    for (const ConfigKey<Config>& key : keys) {
        if (key.name != name) continue;
        if (key.set) key.set(config, value);
        return key.dropped;
    }
    return std::nullopt;
}

}  // namespace vit::inline internal
