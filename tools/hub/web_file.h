// Downloads a file from any server into torch.hub's cache.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "tools/hub/settings.h"

namespace vit::hub {

struct WebFile {
    std::string url;       ///< without a fragment
    std::string shown;     ///< the address without user, password and query, which may be secret
    std::string name;      ///< the last part of the path; also the name of the file in the cache
    std::string checksum;  ///< the beginning of the SHA-256, taken from the name; empty: none
};

/// True if the text begins with http:// or https:// in any case.
bool is_web_address(std::string_view text);

/// Reads an address as torch.hub does. If the stem of the name ends with -XXXXXXXX (eight or more
/// lower-case hexadecimal digits), these digits are a checksum. Throws Error(usage) if no file can
/// have this address.
WebFile parse_web_file(std::string_view url);

struct FetchedWebFile {
    std::filesystem::path place;
    std::string sha256;  ///< set if it was computed to check the name's checksum; otherwise empty
};

/// Returns the file in settings.cache, and downloads it if it is missing. A checksum in the name is
/// always checked. Without one, a file in the cache must come from the same address according to
/// .NAME.source beside it. A file without .NAME.source counts as downloaded by torch, and `note`
/// gets a line about it. Throws Error(io) whose message begins with the address or the place.
FetchedWebFile fetch_web_file(const WebFile& file, const Settings& settings,
                              const std::function<void(const std::string&)>& note);

}  // namespace vit::hub
