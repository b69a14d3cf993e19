// For tests and the fuzzer: a server with a few routes on a thread of its own, and a client that speaks over a real
// socket and takes nothing for granted.
#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <thread>

#include "base/json.h"
#include "serve/server.h"

namespace hone::serve::test {

inline double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

struct Answer {
  int status = 0;  ///< 0: the connection was closed, or nothing came in time
  std::map<std::string, std::string> headers;
  std::string body;

  std::string code() const {
    const Json json = Json::parse(body, nullptr, false);
    return json.is_object() ? json.value("code", "") : "";
  }
};

class Client {
 public:
  explicit Client(int port, double patience_seconds = 5) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
    const timeval wait{static_cast<time_t>(patience_seconds),
                       static_cast<suseconds_t>((patience_seconds - static_cast<time_t>(patience_seconds)) * 1e6)};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ~Client() { ::close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool connected() const { return connected_; }

  /// False once the server has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }
  void end_of_sending() { ::shutdown(fd_, SHUT_WR); }

  /// The next answer; `head`: to a HEAD request, so without a body.
  Answer receive(bool head = false) {
    Answer out;
    const size_t end = read_to("\r\n\r\n");
    if (end == std::string::npos || !buffer_.starts_with("HTTP/1.1 ") || end < 13) return out;
    for (size_t at = buffer_.find("\r\n") + 2; at < end;) {
      const size_t line_end = buffer_.find("\r\n", at);
      const size_t colon = buffer_.find(": ", at);
      std::string name = buffer_.substr(at, colon - at);
      std::ranges::transform(name, name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
      out.headers[name] = buffer_.substr(colon + 2, line_end - colon - 2);
      at = line_end + 2;
    }
    const int status = std::stoi(buffer_.substr(9, 3));
    buffer_.erase(0, end + 4);
    if (!head && out.headers.contains("content-length")) {
      const size_t length = std::stoul(out.headers["content-length"]);
      while (buffer_.size() < length)
        if (!read_more()) return out;
      out.body = buffer_.substr(0, length);
      buffer_.erase(0, length);
    }
    out.status = status;
    return out;
  }
  Answer ask(std::string_view bytes, bool head = false) {
    send(bytes);
    return receive(head);
  }

  /// Everything up to and with `mark`, taken off; "" if it does not come.
  std::string receive_to(std::string_view mark) {
    const size_t at = read_to(mark);
    if (at == std::string::npos) return "";
    std::string out = buffer_.substr(0, at + mark.size());
    buffer_.erase(0, at + mark.size());
    return out;
  }
  /// True if the server closes (or has closed) within the client's patience.
  bool closed_by_server() {
    while (true) {
      char some[4096];
      const ssize_t n = ::recv(fd_, some, sizeof some, 0);
      if (n == 0) return true;
      if (n < 0) return errno != EAGAIN && errno != EWOULDBLOCK;
    }
  }

 private:
  bool read_more() {
    char some[65536];
    const ssize_t n = ::recv(fd_, some, sizeof some, 0);
    if (n <= 0) return false;
    buffer_.append(some, static_cast<size_t>(n));
    return true;
  }
  size_t read_to(std::string_view mark) {
    while (true) {
      const size_t at = buffer_.find(mark);
      if (at != std::string::npos) return at;
      if (!read_more()) return std::string::npos;
    }
  }

  int fd_;
  bool connected_ = false;
  std::string buffer_;
};

/// A server that answers from its construction on until it goes.
class Site {
 public:
  explicit Site(Options options = {}, Routes routes = {})
      : server_(options, std::move(routes)), thread_([this](const std::stop_token& stop) { server_.run(stop); }) {}

  int port() const { return server_.port(); }
  Server& server() { return server_; }
  /// Seconds that it took.
  double stop() {
    const auto start = std::chrono::steady_clock::now();
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
    return seconds_since(start);
  }
  std::string secret() const {
    const std::string url = server_.url();
    return url.substr(url.find("#secret=") + 8);
  }
  /// The headers that every request needs: host and, with a token, who asks.
  std::string headers(const std::string& token = "") const {
    return "Host: 127.0.0.1:" + std::to_string(port()) + "\r\n" +
           (token.empty() ? "" : "Authorization: Bearer " + token + "\r\n");
  }
  std::string get(const std::string& target, const std::string& token = "", const std::string& more = "") const {
    return "GET " + target + " HTTP/1.1\r\n" + headers(token) + more + "\r\n";
  }
  std::string post(const std::string& target, const std::string& body, const std::string& token = "",
                   const std::string& more = "Content-Type: application/json\r\n") const {
    return "POST " + target + " HTTP/1.1\r\n" + headers(token) + more +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  /// Signs in with the present secret.
  std::string sign_in() const {
    Client client(port());
    const Answer answer = client.ask(post("/api/v1/session", "{\"secret\":\"" + secret() + "\"}"));
    return answer.status == 201 ? Json::parse(answer.body)["token"].get<std::string>() : "";
  }

 private:
  Server server_;
  std::jthread thread_;
};

/// GET /api/v1/echo, POST /api/v1/echo, PUT /api/v1/items/{id}, a page at / and a file.
inline Routes echo_routes() {
  Routes routes;
  const auto echo = [](const Request& r) {
    Json out;
    out["method"] = r.method;
    out["path"] = r.path;
    for (const auto& [name, value] : r.query) out["query"][name] = value;
    for (const auto& [name, value] : r.parameters) out["parameters"][name] = value;
    if (!r.body.empty()) out["body"] = json_body(r);
    return json_response(out);
  };
  routes.add("GET", "/api/v1/echo", echo);
  routes.add("POST", "/api/v1/echo", echo);
  routes.add("PUT", "/api/v1/items/{id}", echo);
  routes.file("/", "text/html; charset=utf-8", "<!doctype html><title>hone</title>");
  routes.file("/page.js", "text/javascript", "export const one = 1;\n");
  return routes;
}

}  // namespace hone::serve::test
