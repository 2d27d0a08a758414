// A file of any server, in the cache that torch.hub has.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "tools/hub/settings.h"

namespace vit::hub {

struct WebFile {
    std::string url;       ///< without a fragment
    std::string shown;     ///< the same without what may be secret: user, password, query
    std::string name;      ///< the end of its path, and the file's name in the cache
    std::string checksum;  ///< the beginning of its SHA-256 that the name tells; empty: none
};

/// Whether it begins with http:// or https://, in any case.
bool is_web_address(std::string_view text);

/// An address taken apart as torch.hub does it: -XXXXXXXX at the end of the name's stem, eight or
/// more hexadecimal digits in lower case, is a checksum. Throws Error(usage) where no file can have
/// that address.
WebFile parse_web_file(std::string_view url);

struct FetchedWebFile {
    std::filesystem::path place;
    std::string sha256;  ///< where it was computed, for a checksum in the name; else empty
};

/// The file in settings.cache, downloaded if it is not there. A name that tells a checksum
/// is checked in both cases; without one the file has to be from this address, as .NAME.source
/// beside it says, or put there by torch (`note` gets a line about that). Throws Error(io) whose
/// message begins with the address or the place.
FetchedWebFile fetch_web_file(const WebFile& file, const Settings& settings,
                              const std::function<void(const std::string&)>& note);

}  // namespace vit::hub
