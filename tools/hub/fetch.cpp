#include "tools/hub/fetch.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "engine/base/text.h"
#include "engine/model/json_text.h"
#include "tools/hub/cache.h"
#include "tools/hub/download.h"
#include "tools/hub/http.h"
#include "vit/error.h"

namespace vit::hub {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t most_text_bytes = std::uint64_t{16} << 20;
constexpr std::uint64_t most_weight_bytes = std::uint64_t{1} << 40;
constexpr std::size_t most_shards = 1000;

// Weights are downloaded last. A complete weights file therefore shows that all other files were
// requested before.
constexpr const char* configurations[] = {"config.json", "preprocessor_config.json",
                                          "processor_config.json", "open_clip_config.json"};
struct Weights {
    const char* name;
    std::string_view shards = {};  ///< ending of the names in an index; empty: no index
};
constexpr Weights weights[] = {
    {"model.safetensors"},           {"model.safetensors.index.json", ".safetensors"},
    {"open_clip_model.safetensors"}, {"open_clip_pytorch_model.bin"},
    {"pytorch_model.bin"},           {"pytorch_model.bin.index.json", ".bin"}};

/// Removes W/ and the quotes, as huggingface_hub does.
std::string plain_etag(std::string text) {
    text.erase(0, std::min(text.find_first_not_of("W/"), text.size()));
    text.erase(0, std::min(text.find_first_not_of('"'), text.size()));
    text.erase(text.find_last_not_of('"') + 1);
    return text;
}

class Session {
  public:
    Session(const Repository& repository, const Settings& settings,
            const std::function<void(const std::string&)>& note)
        : repository_(repository),
          settings_(settings),
          note_(note),
          folder_(cache_folder(settings.cache, repository)) {
        if (is_commit(repository.revision)) commit_ = repository.revision;
        if (settings.offline) go_offline("HF_HUB_OFFLINE is set");
    }

    /// Path of the file in the snapshot. Empty if the repository has no such file; when offline, if
    /// the cache has none.
    std::optional<fs::path> get(const std::string& name, std::uint64_t most_bytes) {
        if (const auto place = cached(name)) return place;
        if (!offline_.empty() || (!commit_.empty() && stored_absent(folder_, commit_, name)))
            return {};
        const std::optional<RemoteFile> file = ask(name);
        if (const auto place = cached(name)) return place;  // now the commit is known
        if (!file) return {};
        download(client_, settings_, repository_, folder_, *file, most_bytes);
        return snapshot(folder_, commit_) / name;
    }

    const std::string& commit() const { return commit_; }
    [[noreturn]] void fail(const std::string& what, ErrorKind kind = ErrorKind::io) const {
        throw Error(kind, fmt::format("{}: {}", name_of(repository_), what));
    }

    /// Throws an error because a necessary file is missing.
    [[noreturn]] void missing(const std::string& what) const {
        if (!offline_.empty())
            fail(fmt::format("{}, and the cache does not have all of it", offline_));
        fail(what);
    }

    [[noreturn]] void no_weights() const {
        std::string names;
        for (const Weights& each : weights)
            names += fmt::format("{}{}", names.empty() ? "" : ", ", each.name);
        missing(fmt::format("{}: expected one of {}",
                            commit_.empty() ? "there is no such repository, or no weights in it"
                                            : "there are no weights in it",
                            names));
    }

  private:
    std::optional<fs::path> cached(const std::string& name) const {
        if (commit_.empty()) return {};
        const fs::path place = snapshot(folder_, commit_) / name;
        std::error_code ignored;
        if (!fs::exists(place, ignored)) return {};
        return place;
    }

    /// From now on only files in the cache are used.
    void go_offline(const std::string& why) {
        offline_ = why;
        if (commit_.empty()) commit_ = stored_commit(folder_, repository_).value_or("");
        if (commit_.empty()) fail(why + ", and the cache has nothing of it");
        note_(fmt::format("{}: {}; taking commit {} from the cache", name_of(repository_), why,
                          commit_));
    }

    /// Asks the hub about the file. Empty if there is no such file. Also empty if the hub cannot be
    /// reached; then only the cache is used from now on.
    std::optional<RemoteFile> ask(const std::string& name) {
        Request request;
        // All files must come from one commit, even if the branch moves in the meantime.
        request.url =
            url_of(settings_, repository_, commit_.empty() ? repository_.revision : commit_, name);
        request.head = true;
        request.token = settings_.token;
        request.timeout = settings_.ask_timeout;
        const Response response = client_.send(request);
        const bool passing = response.status == 429 || response.status >= 500;
        if (!response.failure.empty() || passing) {
            const std::string host = host_of(settings_.endpoint);
            const std::string why =
                response.failure.empty()
                    ? fmt::format("{} answers with status {}", host, response.status)
                    : fmt::format("{} cannot be reached ({})", host, response.failure);
            // Files partly from the hub and partly from the cache could form a model that never
            // existed.
            if (reached_) fail(fmt::format("{}: {}", name, why));
            go_offline(why);
            return {};
        }
        reached_ = true;
        if (response.status >= 400) {
            refused(name, response);
            return {};
        }
        take_commit(name, response);
        RemoteFile file{name, commit_, {}, {}};
        const std::string linked = response.header("x-linked-etag");
        file.etag = plain_etag(linked.empty() ? response.header("etag") : linked);
        if (!is_plain_name(file.etag))
            fail(fmt::format("{}: expected an ETag that names a version of the file, found {}",
                             name, in_quotes(file.etag)));
        file.size = response.bytes("x-linked-size");
        if (!file.size && response.status == 200) file.size = response.bytes("content-length");
        return file;
    }

    /// Handles a refused request. Returns only if the hub works and just this file is missing;
    /// otherwise throws.
    void refused(const std::string& name, const Response& response) {
        const std::string code = response.header("x-error-code");
        const std::string host = host_of(settings_.endpoint);
        const char* token =
            settings_.token.empty() ? "set HF_TOKEN" : "the token that is set may not read it";
        if (code == "GatedRepo")
            fail(fmt::format("its conditions have to be accepted on {} first ({})", host, token));
        if (code == "RevisionNotFound")
            fail(fmt::format("there is no revision '{}'", repository_.revision));
        if (code == "RepoNotFound")
            fail(fmt::format("there is no such repository on {}, or it is private ({})", host,
                             token));
        if (code == "DisabledRepo") fail(fmt::format("{} has disabled it", host));
        if (response.status == 401 || response.status == 403)
            fail(fmt::format("{} refuses to serve {} (status {}): it may be private or gated; {}",
                             host, name, response.status, token));
        if (response.status != 404 && code != "EntryNotFound")
            fail(fmt::format("{}: {} answers with status {}", name, host, response.status));
        if (!response.header("x-repo-commit").empty()) {
            take_commit(name, response);
            store_absent(folder_, commit_, name);
        }
    }

    void take_commit(const std::string& name, const Response& response) {
        const std::string commit = response.header("x-repo-commit");
        if (!is_commit(commit))
            fail(
                fmt::format("{}: expected the commit of the file (X-Repo-Commit) from {}, found "
                            "{}; is HF_ENDPOINT a hub?",
                            name, host_of(settings_.endpoint), in_quotes(commit)));
        if (commit_.empty()) {
            commit_ = commit;
            if (!is_commit(repository_.revision)) store_commit(folder_, repository_, commit_);
        } else if (commit != commit_) {
            fail(
                fmt::format("{}: expected it of commit {}, found it of {}", name, commit_, commit));
        }
    }

    const Repository& repository_;
    const Settings& settings_;
    const std::function<void(const std::string&)>& note_;
    CacheFolder folder_;
    Client client_;
    std::string commit_;   // empty: not known yet
    std::string offline_;  // why the hub is not used; empty: it is used
    bool reached_ = false;
};

/// The names of the files over which an index distributes the tensors.
std::set<std::string> shards(const Session& session, const Weights& index, const fs::path& path) {
    const auto refuse = [&](const std::string& what) {
        session.fail(fmt::format("{}: {}", index.name, what), ErrorKind::format);
    };
    std::ifstream file(path, std::ios::binary);
    std::string text(most_text_bytes + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > most_text_bytes)
        refuse(fmt::format("expected at most {} bytes", most_text_bytes));
    const nlohmann::json parsed = json_or_null(text);
    if (!parsed.is_object() || !parsed.contains("weight_map") || !parsed["weight_map"].is_object())
        refuse("expected a JSON object with weight_map, of tensors' names to files'");
    std::set<std::string> names;
    for (const auto& [tensor, name] : parsed["weight_map"].items()) {
        const std::string shard = name.is_string() ? name.get<std::string>() : name.dump();
        // A name from the index becomes part of a path and of a URL, so it is checked here.
        if (!is_plain_name(shard) || !shard.ends_with(index.shards))
            refuse(fmt::format("expected names of {} files beside it, found {}", index.shards,
                               in_quotes(shard)));
        names.insert(shard);
    }
    if (names.empty() || names.size() > most_shards)
        refuse(fmt::format("expected 1 to {} files, found {}", most_shards, names.size()));
    return names;
}

}  // namespace

Fetched fetch(const Repository& repository, const Settings& settings,
              const std::function<void(const std::string&)>& note) {
    Session session(repository, settings, note);
    for (const char* name : configurations) session.get(name, most_text_bytes);
    for (const Weights& each : weights) {
        const bool index = !each.shards.empty();
        const auto found = session.get(each.name, index ? most_text_bytes : most_weight_bytes);
        if (!found) continue;
        if (index)
            for (const std::string& shard : shards(session, each, *found))
                if (!session.get(shard, most_weight_bytes))
                    session.missing(
                        fmt::format("{} names {}, which is not there", each.name, shard));
        return {*found, session.commit()};
    }
    session.no_weights();
}

}  // namespace vit::hub
