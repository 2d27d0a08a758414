// How data goes into a page.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace vit::tools {

/// The page before and after its data, with the style that all pages share.
std::pair<std::string, std::string> parts_of(std::span<const unsigned char> page);

/// JSON inside of a <script> element, which "</" would end. Bytes that are not UTF-8 become U+FFFD.
std::string for_script(const nlohmann::ordered_json& json);

/// A <script> element that the page's code reads by its id.
std::string data_element(std::string_view id, const nlohmann::ordered_json& json);

}  // namespace vit::tools
