#include "tools/hub/http.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <exception>

#include "engine/base/text.h"
#include "vit/error.h"
#include "vit/model.h"

namespace vit::hub {

namespace {

constexpr int most_redirects = 10;

[[noreturn]] void no_curl() {
    throw Error(ErrorKind::io, "libcurl cannot be used");
}

class Url {
  public:
    explicit Url(const std::string& text) : url_(curl_url()) {
        if (!url_ || !go(text)) {
            curl_url_cleanup(url_);
            throw Error(ErrorKind::usage, fmt::format("{}: not a valid address", in_quotes(text)));
        }
    }
    ~Url() { curl_url_cleanup(url_); }
    Url(const Url&) = delete;
    Url& operator=(const Url&) = delete;

    /// Moves to an absolute URL, or to one relative to the current URL. False if the text is not a
    /// URL.
    bool go(const std::string& text) {
        return curl_url_set(url_, CURLUPART_URL, text.c_str(), 0) == CURLUE_OK;
    }
    std::string part(CURLUPart which, unsigned flags = 0) const {
        char* text = nullptr;
        if (curl_url_get(url_, which, &text, flags) != CURLUE_OK) return {};
        std::string out = text;
        curl_free(text);
        return out;
    }
    std::string text() const { return part(CURLUPART_URL); }
    std::string scheme() const { return part(CURLUPART_SCHEME); }
    std::string origin() const {
        return scheme() + "://" + part(CURLUPART_HOST) + ":" +
               part(CURLUPART_PORT, CURLU_DEFAULT_PORT);
    }

  private:
    CURLU* url_;
};

struct Exchange {
    CURL* curl;
    const Request& request;
    Response response;
    bool refused = false;            // the sink wants no more data
    std::exception_ptr thrown = {};  // thrown by the sink; it must not pass through libcurl
};

std::size_t on_header(char* data, std::size_t, std::size_t size, void* user) {
    auto& exchange = *static_cast<Exchange*>(user);
    std::string_view line(data, size);
    if (line.starts_with("HTTP/")) exchange.response.headers.clear();  // after 100 Continue
    const std::size_t colon = line.find(':');
    if (colon == line.npos) return size;
    std::string name(line.substr(0, colon));
    for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    line.remove_prefix(colon + 1);
    while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
    while (!line.empty() && static_cast<unsigned char>(line.back()) <= ' ') line.remove_suffix(1);
    exchange.response.headers[name] = line;
    return size;
}

std::size_t on_body(char* data, std::size_t, std::size_t size, void* user) {
    auto& exchange = *static_cast<Exchange*>(user);
    curl_easy_getinfo(exchange.curl, CURLINFO_RESPONSE_CODE, &exchange.response.status);
    const long status = exchange.response.status;
    if (status != 200 && status != 206) {
        exchange.refused = true;  // the body is an error page, not the file
        return 0;
    }
    if (!exchange.request.sink) return size;
    try {
        exchange.refused =
            !exchange.request.sink(exchange.response, std::as_bytes(std::span(data, size)));
    } catch (...) {
        exchange.thrown = std::current_exception();
        exchange.refused = true;
    }
    return exchange.refused ? 0 : size;
}

bool redirects(long status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

}  // namespace

std::string Response::header(std::string_view name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
}

std::optional<std::uint64_t> Response::bytes(std::string_view name) const {
    const std::string text = header(name);
    std::uint64_t value = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return {};
    return value;
}

struct Client::Handle {
    CURL* curl = nullptr;
};

Client::Client() : handle_(std::make_unique<Handle>()) {
    static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (ready != CURLE_OK) no_curl();
    handle_->curl = curl_easy_init();
    if (!handle_->curl) no_curl();
}

Client::~Client() {
    curl_easy_cleanup(handle_->curl);
}

Response Client::send_once(const Request& request) {
    CURL* curl = handle_->curl;
    curl_easy_reset(curl);  // keeps open connections
    Exchange exchange{curl, request, {}, false, {}};
    curl_slist* headers = nullptr;
    const auto add_header = [&](const std::string& line) {
        curl_slist* more = curl_slist_append(headers, line.c_str());
        if (!more) {
            curl_slist_free_all(headers);
            no_curl();
        }
        headers = more;
    };
    if (!request.token.empty()) add_header("Authorization: Bearer " + request.token);
    if (request.from > 0 && !request.version.empty()) add_header("If-Range: " + request.version);
    const std::string range = fmt::format("{}-", request.from);
    const std::string agent = fmt::format("vit-convert ({})", version());
    const auto seconds = static_cast<long>(request.timeout.count());
    curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_USERAGENT, agent.c_str());
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, seconds);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, seconds);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &exchange);
    if (request.head) {
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
        curl_easy_setopt(curl, CURLOPT_TIMEOUT, seconds);
    }
    if (request.from > 0) curl_easy_setopt(curl, CURLOPT_RANGE, range.c_str());
    const CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &exchange.response.status);
    curl_slist_free_all(headers);
    if (exchange.thrown) std::rethrow_exception(exchange.thrown);
    if (code != CURLE_OK && !exchange.refused) exchange.response.failure = curl_easy_strerror(code);
    return std::move(exchange.response);
}

Response Client::send(Request request) {
    Url at(request.url);
    const std::string origin = at.origin();
    const std::string token = request.token;
    Response kept;
    for (int hop = 0; hop <= most_redirects; ++hop) {
        request.url = at.text();
        request.token = at.origin() == origin ? token : std::string();
        Response response = send_once(request);
        for (const auto& [name, value] : kept.headers)
            if (name.starts_with("x-")) response.headers.emplace(name, value);
        const std::string location = response.header("location");
        if (!response.failure.empty() || !redirects(response.status) || location.empty())
            return response;
        const std::string before = at.scheme();
        if (!at.go(location) || (at.scheme() != "https" && at.scheme() != "http") ||
            (before == "https" && at.scheme() == "http")) {
            response.failure = "the server redirects to an address that is not allowed";
            return response;
        }
        if (request.head && at.origin() != origin) return response;
        kept = std::move(response);
    }
    kept.failure = fmt::format("more than {} redirects", most_redirects);
    return kept;
}

std::string escaped(std::string_view text) {
    char* out = curl_easy_escape(nullptr, text.data(), static_cast<int>(text.size()));
    if (!out) no_curl();
    std::string result = out;
    curl_free(out);
    return result;
}

std::string host_of(const std::string& url) {
    const Url parsed(url);
    const std::string port = parsed.part(CURLUPART_PORT);
    return parsed.part(CURLUPART_HOST) + (port.empty() ? "" : ":" + port);
}

}  // namespace vit::hub
