// The bytes of one address into one file: resumed where they were cut, and checked.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "tools/hub/http.h"
#include "tools/hub/settings.h"

namespace vit::hub {

struct Wanted {
    std::string url;
    std::string token;                  ///< empty: none
    std::string title;                  ///< what messages begin with
    std::string name;                   ///< for the progress bar
    std::optional<std::uint64_t> size;  ///< where it is known
    std::uint64_t most_bytes = 0;

    /// Unless the place names the version: what is there already has `version`, and only the rest
    /// of that one may follow it. Without a version all of it is asked for.
    bool must_know_version = false;
    std::string version;
    /// Told when a file comes from its first byte, before that is written. May throw.
    std::function<void(const Response&)> begun;
    /// Looks at the whole file; what is wrong with it, or "".
    std::function<std::string(const std::filesystem::path&)> check;
};

/// What is there while it is not whole.
std::filesystem::path incomplete_of(const std::filesystem::path& place);

/// A name that changes with the file's bytes: a strong ETag, or a date; "" where the server says
/// neither.
std::string version_of(const Response& response);

/// Makes `place`. What a cut transfer or an interrupt leaves is incomplete_of(place), and the next
/// call goes on from there. A file of the wrong size, or that does not pass the check, is removed.
/// Throws Error(io). Whoever calls holds a lock.
void transfer(Client& client, const Settings& settings, const Wanted& wanted,
              const std::filesystem::path& place);

}  // namespace vit::hub
