#include "tests/support/fake_hub.h"

#include <fmt/format.h>

#include "tests/support/files.h"
#include "tools/common/sha256.h"

namespace vit::test {

namespace {

HttpReply error(int status, const std::string& code = {}) {
    HttpReply reply;
    reply.status = status;
    if (!code.empty()) reply.headers.emplace_back("X-Error-Code", code);
    reply.body = "a page for people";
    return reply;
}

std::string etag_of(const HubFile& file) {
    if (file.etag) return *file.etag;
    const std::string sha = tools::sha256(as_bytes(file.bytes));
    return file.large ? sha : sha.substr(0, 40);
}

}  // namespace

FakeHub::FakeHub()
    : cdn_([this](const HttpRequest& request) { return answer_cdn(request); }),
      hub_([this](const HttpRequest& request) { return answer(request); }) {
    change([](HubState& state) { state.revisions["main"] = commit; });
}

void FakeHub::change(const std::function<void(HubState&)>& how) {
    const std::lock_guard lock(mutex_);
    how(state_);
}

HttpReply FakeHub::part_of(const HttpRequest& request, const std::string& bytes) const {
    HttpReply reply;
    const auto range = request.headers.find("range");
    std::size_t from = 0;
    if (state_.ranges && range != request.headers.end()) {
        from = std::stoul(range->second.substr(std::string("bytes=").size()));
        if (from >= bytes.size()) return error(416);
        reply.status = 206;
        reply.headers.emplace_back(
            "Content-Range", fmt::format("bytes {}-{}/{}", from, bytes.size() - 1, bytes.size()));
    }
    reply.body = bytes.substr(from);
    return reply;
}

HttpReply FakeHub::answer(const HttpRequest& request) {
    const std::lock_guard lock(mutex_);
    if (state_.status != 0) return error(state_.status);
    const auto code = [&](const char* text) { return state_.error_codes ? text : ""; };
    const std::string prefix = "/" + state_.id + "/resolve/";
    if (!request.path.starts_with(prefix)) return error(404, code("RepoNotFound"));
    if (!state_.token.empty()) {
        const auto given = request.headers.find("authorization");
        if (given == request.headers.end() || given->second != "Bearer " + state_.token)
            return error(401, code(state_.gated ? "GatedRepo" : "RepoNotFound"));
    } else if (state_.gated) {
        return error(403, code("GatedRepo"));
    }
    const std::string rest = request.path.substr(prefix.size());
    const std::string revision = rest.substr(0, rest.find('/'));
    const std::string name = rest.substr(revision.size() + 1);
    std::string at;
    for (const auto& [known, its_commit] : state_.revisions)
        if (revision == known || revision == its_commit) at = its_commit;
    if (at.empty()) return error(404, code("RevisionNotFound"));

    const auto found = state_.files.find(name);
    HttpReply reply;
    if (found == state_.files.end()) {
        reply = error(404, code("EntryNotFound"));
        if (state_.error_codes) reply.headers.emplace_back("X-Repo-Commit", at);
        return reply;
    }
    const HubFile& file = found->second;
    if (file.large) {
        reply.status = 302;
        reply.headers.emplace_back("Location", state_.redirect.empty()
                                                   ? cdn_.url() + "/blob/" + name + "?sign=x"
                                                   : state_.redirect);
        reply.headers.emplace_back("X-Linked-Etag", "\"" + etag_of(file) + "\"");
        reply.headers.emplace_back("X-Linked-Size",
                                   std::to_string(file.linked_size.value_or(file.bytes.size())));
        reply.headers.emplace_back("ETag", "\"of-the-pointer\"");
        reply.body = "Found. Redirecting";
    } else {
        reply = part_of(request, file.bytes);
        reply.headers.emplace_back("ETag", "W/\"" + etag_of(file) + "\"");
    }
    reply.headers.emplace_back("X-Repo-Commit",
                               state_.commit_header.empty() ? at : state_.commit_header);
    return reply;
}

HttpReply FakeHub::answer_cdn(const HttpRequest& request) {
    const std::lock_guard lock(mutex_);
    const std::string name = request.path.substr(6, request.path.find('?') - 6);
    const auto found = state_.files.find(name);
    if (found == state_.files.end()) return error(404);
    HttpReply reply = part_of(request, found->second.bytes);
    reply.content_length = state_.content_length;
    if (state_.cuts > 0 && request.method == "GET") {
        --state_.cuts;
        reply.most = state_.cut_at;
        reply.stall = state_.stall;
    }
    return reply;
}

}  // namespace vit::test
