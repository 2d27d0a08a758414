#include "tools/vit-convert/origin.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <string_view>
#include <system_error>
#include <vector>

#include "engine/base/text.h"
#include "tools/common/error_line.h"
#include "tools/hub/fetch.h"
#include "vit/error.h"
#include "weights/mappings/timm/architectures.h"

namespace vit::tools {

namespace {

namespace fs = std::filesystem;

/// True if the name ends like a file that users pass. Such a name is not a model's name.
bool ends_like_a_file(std::string_view name) {
    constexpr std::array<std::string_view, 12> endings{".safetensors", ".pth", ".pt",   ".bin",
                                                       ".tar",         ".npz", ".ckpt", ".pkl",
                                                       ".json",        ".vit", ".zip",  ".onnx"};
    return std::any_of(endings.begin(), endings.end(),
                       [&](std::string_view ending) { return name.ends_with(ending); });
}

bool looks_like_a_name(std::string_view text) {
    return !text.empty() && text.front() != '.' &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '-' || c == '.';
           });
}

bool is_there(const fs::path& path) {
    std::error_code error;
    return fs::exists(fs::symlink_status(path, error));
}

[[noreturn]] void no_weights(const Architecture& architecture) {
    std::vector<std::string> tags;
    for (const Architecture& each : all_tags())
        if (each.name == architecture.name && !each.weights.empty()) tags.push_back(each.tag);
    throw Error(
        ErrorKind::usage,
        fmt::format("timm has no weights of {}.{}; {}", architecture.name, architecture.tag,
                    tags.empty() ? "pass a checkpoint of your own, with --arch " + architecture.name
                                 : fmt::format("it has those of {}", fmt::join(tags, ", "))));
}

Origin origin_of_architecture(const std::string& name) {
    Architecture architecture;
    try {
        architecture = find_architecture(name);
    } catch (const Error& error) {
        throw Error(error.kind(), fmt::format("no such file or folder, and {}", error.what()));
    }
    if (architecture.weights.empty()) no_weights(architecture);
    Origin origin;
    origin.architecture = architecture.name + "." + architecture.tag;
    if (hub::is_web_address(architecture.weights))
        origin.web_file = hub::parse_web_file(architecture.weights);
    else
        origin.repository = hub::parse_repository(architecture.weights);
    return origin;
}

hub::Fetched fetch(const Origin& origin, const hub::Settings& settings,
                   const std::function<void(const std::string&)>& note) {
    try {
        return hub::fetch(*origin.repository, settings, note);
    } catch (const Error& error) {
        if (origin.path.empty()) throw;
        throw Error(error.kind(),
                    fmt::format("{}; nor is there such a file or folder here", error.what()));
    }
}

}  // namespace

Origin find_origin(const std::string& source) {
    Origin origin;
    if (source.starts_with("hf-hub:")) {
        origin.repository = hub::parse_repository(source);
        return origin;
    }
    if (hub::is_web_address(source)) {
        origin.repository = hub::repository_of_page(source);
        if (!origin.repository) origin.web_file = hub::parse_web_file(source);
        return origin;
    }
    origin.path = source;
    if (is_there(source) || ends_like_a_file(source)) return origin;
    if (looks_like_a_name(source)) return origin_of_architecture(source);
    // If the parent folder exists, the source is a misspelled path and not ORG/NAME.
    if (!is_there(origin.path.parent_path())) origin.repository = hub::repository_of_name(source);
    return origin;
}

Obtained obtain(const Origin& origin, bool quiet) {
    const auto note = [&](const std::string& text) {
        if (!quiet) std::fprintf(stderr, "vit-convert: note: %s\n", escape_control(text).c_str());
    };
    if (origin.repository) {
        hub::Settings settings = hub::settings_from_environment();
        settings.progress = !quiet;
        const hub::Fetched fetched = fetch(origin, settings, note);
        return {fetched.weights, hub::name_of({origin.repository->id, fetched.commit}), ""};
    }
    if (origin.web_file) {
        hub::Settings settings = hub::web_settings_from_environment();
        settings.progress = !quiet;
        const hub::FetchedWebFile fetched = hub::fetch_web_file(*origin.web_file, settings, note);
        return {fetched.place, origin.web_file->shown, fetched.sha256};
    }
    return {origin.path, "", ""};
}

}  // namespace vit::tools
