// A small HTTP server on 127.0.0.1, for tests of downloads.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace vit::test {

struct HttpRequest {
    std::string method;
    std::string path;                            ///< with the query
    std::map<std::string, std::string> headers;  ///< names in lower case
};

struct HttpReply {
    int status = 200;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    bool content_length = true;
    std::size_t most = std::string::npos;  ///< after these body bytes the connection is cut …
    bool stall = false;                    ///< … or nothing is sent until the client leaves
};

/// Answers one request per connection, and one connection at a time.
class LoopbackServer {
  public:
    using Handler = std::function<HttpReply(const HttpRequest&)>;
    explicit LoopbackServer(Handler handler);
    ~LoopbackServer();
    LoopbackServer(const LoopbackServer&) = delete;
    LoopbackServer& operator=(const LoopbackServer&) = delete;

    std::string url() const;  ///< http://127.0.0.1:PORT
    std::vector<HttpRequest> requests() const;

  private:
    void serve();
    void answer(int connection);

    Handler handler_;
    int port_ = 0;
    int socket_;
    mutable std::mutex mutex_;
    std::vector<HttpRequest> requests_;
    std::thread thread_;
};

/// The address http://127.0.0.1:PORT of a port on which no program listens.
std::string closed_port_url();

}  // namespace vit::test
