#include "tests/support/loopback_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <sstream>
#include <stdexcept>
#include <string_view>

namespace vit::test {

namespace {

int listening(int& port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(fd, 16) != 0 ||
        ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        throw std::runtime_error("no loopback socket");
    port = ntohs(address.sin_port);
    return fd;
}

/// Limits how long a client can block the server.
void bound_waiting(int fd) {
    const timeval seconds{10, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &seconds, sizeof seconds);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &seconds, sizeof seconds);
}

void send_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t count = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
        if (count <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(count));
    }
}

HttpRequest parse(const std::string& head) {
    HttpRequest request;
    std::istringstream lines(head);
    std::string line;
    std::getline(lines, line);
    std::istringstream(line) >> request.method >> request.path;
    while (std::getline(lines, line)) {
        const std::size_t colon = line.find(':');
        if (colon == std::string::npos) continue;
        std::string name = line.substr(0, colon);
        for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        const std::size_t begin = line.find_first_not_of(' ', colon + 1);
        const std::size_t end = line.find_last_not_of("\r ");
        request.headers[name] =
            begin == std::string::npos || end < begin ? "" : line.substr(begin, end - begin + 1);
    }
    return request;
}

}  // namespace

LoopbackServer::LoopbackServer(Handler handler)
    : handler_(std::move(handler)), socket_(listening(port_)), thread_([this] { serve(); }) {}

LoopbackServer::~LoopbackServer() {
    ::shutdown(socket_, SHUT_RDWR);  // makes accept return
    thread_.join();
    ::close(socket_);
}

std::string LoopbackServer::url() const {
    return "http://127.0.0.1:" + std::to_string(port_);
}

std::vector<HttpRequest> LoopbackServer::requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
}

void LoopbackServer::serve() {
    for (int connection; (connection = ::accept(socket_, nullptr, nullptr)) >= 0;) {
        bound_waiting(connection);
        answer(connection);
        ::close(connection);
    }
}

void LoopbackServer::answer(int connection) {
    std::string head;
    std::array<char, 4096> block;
    while (head.find("\r\n\r\n") == std::string::npos && head.size() < 65'536) {
        const ssize_t count = ::recv(connection, block.data(), block.size(), 0);
        if (count <= 0) return;
        head.append(block.data(), static_cast<std::size_t>(count));
    }
    const HttpRequest request = parse(head);
    {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
    }
    const HttpReply reply = handler_(request);
    std::string text = "HTTP/1.1 " + std::to_string(reply.status) + " Status\r\n";
    for (const auto& [name, value] : reply.headers) text += name + ": " + value + "\r\n";
    if (reply.content_length)
        text += "Content-Length: " + std::to_string(reply.body.size()) + "\r\n";
    text += "Connection: close\r\n\r\n";
    if (request.method != "HEAD") text += reply.body.substr(0, reply.most);
    send_all(connection, text);
    if (reply.stall && request.method != "HEAD") ::recv(connection, block.data(), 1, 0);
}

std::string closed_port_url() {
    int port = 0;
    ::close(listening(port));
    return "http://127.0.0.1:" + std::to_string(port);
}

}  // namespace vit::test
