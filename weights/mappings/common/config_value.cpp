#include "weights/mappings/common/config_value.h"

#include <fmt/format.h>

#include <cmath>

#include "engine/base/text.h"
#include "engine/model/json_text.h"
#include "vit/error.h"

namespace vit::inline internal {

namespace {

constexpr std::int64_t most = std::int64_t{1} << 40;  // exact in double, and sums do not overflow

}  // namespace

void ConfigValue::refuse(const std::string& expected) const {
    std::string found = value_->dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
    if (found.size() > 80) found = found.substr(0, 77) + "...";
    throw Error(ErrorKind::model, fmt::format("{}: expected {}, found {}", key_, expected, found));
}

void ConfigValue::unsupported(std::string_view feature) const {
    throw Error(ErrorKind::model, fmt::format("{}: {} is not supported", key_, feature));
}

ConfigValue ConfigValue::at(std::size_t index) const {
    return {fmt::format("{}[{}]", key_, index), value_->at(index)};
}

std::int64_t ConfigValue::integer() const {
    const double value = value_->is_number() ? value_->get<double>() : std::nan("");
    if (!(value == std::floor(value) && std::abs(value) <= static_cast<double>(most)))
        refuse("a whole number");
    return static_cast<std::int64_t>(value);
}

double ConfigValue::number() const {
    if (!value_->is_number() || !std::isfinite(value_->get<double>())) refuse("a number");
    return value_->get<double>();
}

bool ConfigValue::boolean() const {
    if (value_->is_boolean()) return value_->get<bool>();
    if (value_->is_number_integer() && (*value_ == 0 || *value_ == 1)) return *value_ == 1;
    refuse("true or false");
}

std::string ConfigValue::text() const {
    if (!value_->is_string()) refuse("a text");
    return value_->get<std::string>();
}

ImageSize ConfigValue::size() const {
    if (value_->is_array()) {
        if (value_->size() != 2) refuse("a number or [height, width]");
        return {at(0).integer(), at(1).integer()};
    }
    const std::int64_t side = integer();
    return {side, side};
}

ImageSize ConfigValue::input_size(std::int64_t& channels) const {
    if (!value_->is_array() || value_->size() != 3) refuse("[channels, height, width]");
    channels = at(0).integer();
    return {at(1).integer(), at(2).integer()};
}

std::vector<double> ConfigValue::numbers() const {
    if (!value_->is_array()) return {number()};
    std::vector<double> out;
    for (std::size_t i = 0; i < value_->size(); ++i) out.push_back(at(i).number());
    return out;
}

nlohmann::json parse_json_object(const std::string& text, const std::string& name) {
    nlohmann::json parsed = parse_json(text, name);
    if (!parsed.is_object())
        throw Error(ErrorKind::format,
                    fmt::format("{}: expected an object, found {}", name, parsed.type_name()));
    return parsed;
}

}  // namespace vit::inline internal
