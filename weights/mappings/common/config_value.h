// Reads one value of a configuration strictly: a wrong type is an error that names the key.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/model/model_config.h"

namespace vit::inline internal {

/// One value of a configuration. Members that read it throw Error(model) "KEY: expected …, found …"
/// where it has another type. The JSON value must outlive this object.
class ConfigValue {
  public:
    ConfigValue(std::string key, const nlohmann::json& value)
        : key_(std::move(key)), value_(&value) {}

    const std::string& key() const { return key_; }
    const nlohmann::json& json() const { return *value_; }
    bool null() const { return value_->is_null(); }

    std::int64_t integer() const;
    double number() const;
    bool boolean() const;  ///< true, false, 1 or 0
    std::string text() const;
    ImageSize size() const;                              ///< N or [H, W]
    std::vector<double> numbers() const;                 ///< a number or a list of numbers
    ImageSize input_size(std::int64_t& channels) const;  ///< [C, H, W]

    [[noreturn]] void refuse(const std::string& expected) const;
    /// Throws Error(model) "KEY: FEATURE is not supported".
    [[noreturn]] void unsupported(std::string_view feature) const;

  private:
    ConfigValue at(std::size_t index) const;
    std::string key_;
    const nlohmann::json* value_;
};

/// Parses the `text` of the file `name`. Throws Error(format) unless it is one JSON object.
nlohmann::json parse_json_object(const std::string& text, const std::string& name);

}  // namespace vit::inline internal
