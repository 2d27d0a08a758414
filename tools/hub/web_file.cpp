#include "tools/hub/web_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <span>

#include "engine/base/text.h"
#include "tools/common/sha256.h"
#include "tools/hub/cache.h"
#include "tools/hub/repository.h"
#include "tools/hub/transfer.h"
#include "vit/error.h"

namespace vit::hub {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t most_bytes = std::uint64_t{1} << 40;
constexpr std::size_t fewest_digits = 8, most_digits = 64;

bool starts_with_any_case(std::string_view text, std::string_view prefix) {
    return text.size() >= prefix.size() &&
           std::equal(prefix.begin(), prefix.end(), text.begin(), [](char a, char b) {
               return a == (b >= 'A' && b <= 'Z' ? static_cast<char>(b - 'A' + 'a') : b);
           });
}

std::string checksum_in(std::string_view name) {
    constexpr std::string_view digits = "0123456789abcdef";
    for (std::size_t dash = name.find('-'); dash != name.npos; dash = name.find('-', dash + 1)) {
        const std::size_t end = std::min(name.find_first_not_of(digits, dash + 1), name.size());
        const std::size_t length = end - dash - 1;
        if (length >= fewest_digits && length <= most_digits &&
            (end == name.size() || name[end] == '.'))
            return std::string(name.substr(dash + 1, length));
    }
    return "";
}

/// Like is_plain_name, but allows %XX.
bool is_file_name(std::string name) {
    std::erase(name, '%');
    return is_plain_name(name);
}

std::string hash_of(const std::string& text) {
    return tools::sha256(std::as_bytes(std::span(text)));
}

/// The content of .NAME.source, which describes the complete or incomplete file beside it. Its
/// lines are the address, the SHA-256 of the address with the query, and the version (version_of).
struct Source {
    std::string shown, hash, version;
};

fs::path source_place(const WebFile& file, const Settings& settings) {
    return settings.cache / fmt::format(".{}.source", file.name);
}

Source read_source(const fs::path& place) {
    std::ifstream in(place, std::ios::binary);
    Source source;
    std::getline(in, source.shown);
    std::getline(in, source.hash);
    std::getline(in, source.version);
    const auto printable = [](char c) { return c >= ' ' && c < '\x7f'; };
    // The version becomes part of a header line.
    if (!in || !std::all_of(source.version.begin(), source.version.end(), printable)) return {};
    return source;
}

/// Writes in place, because the file is locked.
void write_source(const fs::path& place, const Source& source) {
    std::ofstream out(place, std::ios::binary | std::ios::trunc);
    out << source.shown << '\n' << source.hash << '\n' << source.version << '\n';
    out.flush();
    if (!out)
        throw Error(ErrorKind::io, fmt::format("{}: cannot be written", in_quotes(place.native())));
}

/// Returns an error text if the checksum of the file at `place` is wrong, otherwise "". Sets
/// `found` to the SHA-256 of the file, if the name has a checksum.
std::string wrong_checksum(const WebFile& file, const fs::path& place, std::string& found) {
    if (file.checksum.empty()) return "";
    found = tools::sha256_of_file(place);
    if (found.starts_with(file.checksum)) return "";
    return fmt::format(
        "wrong checksum: expected a SHA-256 that begins with {}, as the name says, "
        "found {}",
        file.checksum, found);
}

/// Returns the file in the cache after checking that it is the requested one.
FetchedWebFile cached(const WebFile& file, const Settings& settings, const fs::path& place,
                      const std::function<void(const std::string&)>& note) {
    const auto refuse = [&](const std::string& what) {
        throw Error(ErrorKind::io, fmt::format("{}: {}; remove it, then it is downloaded from {}",
                                               in_quotes(place.native()), what, file.shown));
    };
    std::string found;
    if (const std::string wrong = wrong_checksum(file, place, found); !wrong.empty()) refuse(wrong);
    if (!file.checksum.empty()) return {place, found};
    const Source source = read_source(source_place(file, settings));
    if (source.hash.empty())
        note(fmt::format("{}: taking {} from the cache, which does not say where it is from",
                         file.shown, in_quotes(place.native())));
    else if (source.hash != hash_of(file.url))
        refuse(fmt::format("the cache has this name from another address, {}",
                           in_quotes(source.shown)));
    return {place, ""};
}

void refuse_pages(const WebFile& file, const Response& response) {
    if (response.header("content-type").starts_with("text/html"))
        throw Error(ErrorKind::io, fmt::format("{}: expected a file, the server sends a page for "
                                               "people (text/html); give the address that its "
                                               "download link has",
                                               file.shown));
}

FetchedWebFile download_web_file(const WebFile& file, const Settings& settings,
                                 const fs::path& place, const fs::path& source) {
    const Source before = read_source(source);
    Wanted wanted;
    wanted.url = file.url;
    wanted.title = file.shown;
    wanted.name = file.name;
    wanted.most_bytes = most_bytes;
    wanted.must_know_version = true;
    if (before.hash == hash_of(file.url)) wanted.version = before.version;
    wanted.begun = [&](const Response& response) {
        refuse_pages(file, response);
        write_source(source, {file.shown, hash_of(file.url), version_of(response)});
    };
    std::string found;
    wanted.check = [&](const fs::path& path) { return wrong_checksum(file, path, found); };
    Client client;
    transfer(client, settings, wanted, place);
    return {place, found};
}

}  // namespace

bool is_web_address(std::string_view text) {
    return starts_with_any_case(text, "https://") || starts_with_any_case(text, "http://");
}

WebFile parse_web_file(std::string_view text) {
    const auto refuse = [&](std::string_view expected) {
        throw Error(ErrorKind::usage, fmt::format("{}: expected {}", in_quotes(text), expected));
    };
    if (!std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; }))
        refuse("an address without blanks and accents (as %20 and the like)");
    WebFile file;
    file.url = text.substr(0, text.find('#'));
    const std::size_t host = file.url.find("://") + 3;
    file.shown = file.url.substr(0, file.url.find('?'));
    const std::size_t path = std::min(file.shown.find('/', host), file.shown.size());
    const std::size_t user = file.shown.rfind('@', path);
    const std::string name = file.shown.substr(path);
    if (user != file.shown.npos && user >= host) file.shown.erase(host, user + 1 - host);
    file.name = name.substr(std::min(name.rfind('/') + 1, name.size()));
    if (!is_file_name(file.name)) refuse("the address of a file, https://HOST/…/NAME");
    file.checksum = checksum_in(file.name);
    return file;
}

FetchedWebFile fetch_web_file(const WebFile& file, const Settings& settings,
                              const std::function<void(const std::string&)>& note) {
    const fs::path place = settings.cache / file.name, source = source_place(file, settings);
    std::error_code ignored;
    if (fs::exists(place, ignored)) return cached(file, settings, place, note);
    if (settings.offline)
        throw Error(ErrorKind::io, fmt::format("{}: HF_HUB_OFFLINE is set, and {} is not there",
                                               file.shown, in_quotes(place.native())));
    const FileLock lock(source);
    if (fs::exists(place, ignored)) return cached(file, settings, place, note);
    return download_web_file(file, settings, place, source);
}

}  // namespace vit::hub
