// How data goes into a page.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace vit::tools {

/// The template before and after "@DATA@".
std::pair<std::string_view, std::string_view> parts_of(std::span<const unsigned char> page);

/// JSON inside of a <script> element, which "</" would end. Bytes that are not UTF-8 become U+FFFD.
std::string for_script(const nlohmann::ordered_json& json);

/// A <script> element that the page's code reads by its id.
std::string data_element(std::string_view id, const nlohmann::ordered_json& json);

}  // namespace vit::tools
