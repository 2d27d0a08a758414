// Downloads from one address into one file. Resumes a cut download and checks the result.
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
    std::string token;                  ///< empty: no token
    std::string title;                  ///< messages begin with this
    std::string name;                   ///< shown in the progress bar
    std::optional<std::uint64_t> size;  ///< if it is known
    std::uint64_t most_bytes = 0;

    /// Set this if the name of the place does not identify the version of the file. Then the bytes
    /// that are already there have `version`, and the download resumes only if the server still has
    /// that version. An empty `version` requests the whole file.
    bool must_know_version = false;
    std::string version;
    /// Called before the first byte of a complete file is written. May throw.
    std::function<void(const Response&)> begun;
    /// Checks the complete file. Returns an error text, or "".
    std::function<std::string(const std::filesystem::path&)> check;
};

/// The path of a file that is not complete yet.
std::filesystem::path incomplete_of(const std::filesystem::path& place);

/// A text that changes when the file's bytes change: a strong ETag, else the date; "" if the server
/// sends neither.
std::string version_of(const Response& response);

/// Downloads the file `place`. After a cut transfer or an interrupt the received part stays in
/// incomplete_of(place), and the next call resumes from there. A file that has the wrong size or
/// fails the check is removed. Throws Error(io). The caller must hold a lock.
void transfer(Client& client, const Settings& settings, const Wanted& wanted,
              const std::filesystem::path& place);

}  // namespace vit::hub
