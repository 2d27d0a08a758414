#include "tools/hub/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>

#include "engine/base/env.h"
#include "engine/base/text.h"
#include "vit/error.h"

namespace vit::hub {

namespace {

namespace fs = std::filesystem;

/// A variable's value. An empty variable counts as unset.
std::optional<std::string> value_of(std::string_view name) {
    std::optional<std::string> value = env(name);
    if (value && value->empty()) return {};
    return value;
}

/// A variable's value as a path. ~ is replaced by HOME if HOME is set.
std::optional<fs::path> path_of(std::string_view name) {
    const std::optional<std::string> value = value_of(name);
    if (!value) return {};
    const std::optional<std::string> home = value_of("HOME");
    if (home && (*value == "~" || value->starts_with("~/"))) return *home + value->substr(1);
    return *value;
}

/// The folder in which huggingface_hub keeps its files; empty if no variable defines it.
std::optional<fs::path> hugging_face_home() {
    if (const auto path = path_of("HF_HOME")) return *path;
    if (const auto path = path_of("XDG_CACHE_HOME")) return *path / "huggingface";
    if (const auto path = path_of("HOME")) return *path / ".cache" / "huggingface";
    return {};
}

bool is_true(std::string_view name) {
    std::string value = value_of(name).value_or("");
    for (char& c : value) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return value == "1" || value == "ON" || value == "YES" || value == "TRUE";
}

std::chrono::seconds seconds_of(std::string_view name, std::chrono::seconds otherwise) {
    const std::optional<std::string> value = value_of(name);
    if (!value) return otherwise;
    int seconds = 0;
    const char* end = value->data() + value->size();
    const auto parsed = std::from_chars(value->data(), end, seconds);
    if (parsed.ec != std::errc() || parsed.ptr != end || seconds < 1 || seconds > 86'400)
        throw Error(ErrorKind::usage, fmt::format("{}: expected 1 to 86400 seconds, found {}", name,
                                                  in_quotes(*value)));
    return std::chrono::seconds(seconds);
}

std::string trimmed(std::string text) {
    constexpr std::string_view blank = " \t\r\n";
    text.erase(0, std::min(text.find_first_not_of(blank), text.size()));
    text.erase(text.find_last_not_of(blank) + 1);
    return text;
}

std::string token() {
    std::string text;
    std::optional<fs::path> file = path_of("HF_TOKEN_PATH");
    if (const auto folder = hugging_face_home(); folder && !file) file = *folder / "token";
    if (const auto value = value_of("HF_TOKEN")) {
        text = *value;
    } else if (file) {  // the file that `hf auth login` writes
        std::ifstream stream(*file, std::ios::binary);
        text.resize(4096);
        stream.read(text.data(), static_cast<std::streamsize>(text.size()));
        text.resize(static_cast<std::size_t>(stream.gcount()));
    }
    text = trimmed(text);
    // The token becomes part of a header line.
    if (!std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; }))
        throw Error(ErrorKind::usage, "HF_TOKEN: expected printable characters without blanks");
    return text;
}

void set_what_all_share(Settings& settings) {
    settings.offline = is_true("HF_HUB_OFFLINE") || is_true("TRANSFORMERS_OFFLINE");
    settings.ask_timeout = seconds_of("HF_HUB_ETAG_TIMEOUT", settings.ask_timeout);
    settings.stall_timeout = seconds_of("HF_HUB_DOWNLOAD_TIMEOUT", settings.stall_timeout);
}

}  // namespace

Settings settings_from_environment() {
    Settings settings;
    if (const auto endpoint = value_of("HF_ENDPOINT")) {
        settings.endpoint = *endpoint;
        while (settings.endpoint.ends_with('/')) settings.endpoint.pop_back();
        if (!settings.endpoint.starts_with("https://") && !settings.endpoint.starts_with("http://"))
            throw Error(ErrorKind::usage,
                        fmt::format("HF_ENDPOINT: expected https://HOST or http://HOST, found {}",
                                    in_quotes(*endpoint)));
    }
    if (const auto cache = path_of("HF_HUB_CACHE"))
        settings.cache = *cache;
    else if (const auto older = path_of("HUGGINGFACE_HUB_CACHE"))
        settings.cache = *older;
    else if (const auto home = hugging_face_home())
        settings.cache = *home / "hub";
    else
        throw Error(ErrorKind::usage,
                    "no place for downloads: set HF_HUB_CACHE, HF_HOME or HOME to a folder");
    settings.token = token();
    set_what_all_share(settings);
    return settings;
}

Settings web_settings_from_environment() {
    Settings settings;
    fs::path home;
    if (const auto path = path_of("TORCH_HOME"))
        home = *path;
    else if (const auto cache = path_of("XDG_CACHE_HOME"))
        home = *cache / "torch";
    else if (const auto user = path_of("HOME"))
        home = *user / ".cache" / "torch";
    else
        throw Error(ErrorKind::usage, "no place for downloads: set TORCH_HOME or HOME to a folder");
    settings.cache = home / "hub" / "checkpoints";
    set_what_all_share(settings);
    return settings;
}

}  // namespace vit::hub
