#include "tools/hub/repository.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/base/text.h"
#include "vit/error.h"

namespace vit::hub {

namespace {

bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_hex(std::string_view text, std::size_t length) {
    return text.size() == length && std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

bool all_of(std::string_view text, std::string_view more) {
    return std::all_of(text.begin(), text.end(), [&](char c) {
        return is_letter_or_digit(c) || more.find(c) != std::string_view::npos;
    });
}

/// The rule of huggingface_hub for a repository's id.
bool is_id(std::string_view id) {
    const auto edge = [](char c) { return c == '-' || c == '.'; };
    if (id.empty() || id.size() > 96 || std::count(id.begin(), id.end(), '/') > 1) return false;
    if (!all_of(id, "-_./") || id.find("--") != id.npos || id.find("..") != id.npos) return false;
    for (std::string_view rest = id;;) {
        const std::string_view part = rest.substr(0, rest.find('/'));
        if (part.empty() || edge(part.front()) || edge(part.back())) return false;
        if (part.size() == rest.size()) return !id.ends_with(".git");
        rest.remove_prefix(part.size() + 1);
    }
}

/// The revision becomes a path below `refs`, so its characters are checked.
bool is_revision(std::string_view revision) {
    return !revision.empty() && revision.size() <= 200 && all_of(revision, "-_./+") &&
           revision.front() != '/' && revision.back() != '/' && revision.front() != '.' &&
           revision.find("..") == revision.npos && revision.find("/.") == revision.npos &&
           revision.find("//") == revision.npos;
}

}  // namespace

Repository parse_repository(std::string_view source) {
    constexpr std::string_view prefix = "hf-hub:";
    std::string_view text = source;
    if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
    const std::size_t at = text.find('@');
    Repository repository;
    repository.id = text.substr(0, at);
    if (at != text.npos) repository.revision = text.substr(at + 1);
    if (!is_id(repository.id) || !is_revision(repository.revision))
        throw Error(ErrorKind::usage, fmt::format("{}: expected hf-hub:ORG/NAME or "
                                                  "hf-hub:ORG/NAME@REVISION",
                                                  in_quotes(source)));
    return repository;
}

std::optional<Repository> repository_of_name(std::string_view text) {
    const std::string_view id = text.substr(0, text.find('@'));
    if (!is_id(id) || id.find('/') == id.npos) return {};
    return parse_repository(text);
}

std::optional<Repository> repository_of_page(std::string_view address) {
    std::string_view rest;
    for (const std::string_view hub : {"https://huggingface.co/", "https://hf.co/"})
        if (address.starts_with(hub)) rest = address.substr(hub.size());
    rest = rest.substr(0, rest.find_first_of("?#"));
    while (rest.ends_with('/')) rest.remove_suffix(1);
    constexpr std::string_view tree = "/tree/";
    const std::size_t at = rest.find(tree);
    std::string name(rest.substr(0, at));
    if (at != rest.npos) name.append("@").append(rest.substr(at + tree.size()));
    return repository_of_name(name);
}

std::string name_of(const Repository& repository) {
    return "hf-hub:" + repository.id +
           (repository.revision == "main" ? "" : "@" + repository.revision);
}

bool is_commit(std::string_view text) {
    return is_hex(text, 40);
}

bool is_sha256(std::string_view text) {
    return is_hex(text, 64);
}

bool is_plain_name(std::string_view text) {
    return !text.empty() && text.size() <= 200 && text.front() != '.' && all_of(text, "-_.+");
}

}  // namespace vit::hub
