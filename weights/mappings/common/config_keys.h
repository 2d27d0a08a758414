// A table of configuration keys: the field that each key sets, or the reason why it is dropped.
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
    /// Why the key is dropped; "" where it is used. For a dropped key, `set` may check the value.
    std::string_view dropped = "";
};

/// Calls `set` of the first entry with the name. Returns the entry's `dropped`, or nothing where
/// `keys` has no such name.
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
