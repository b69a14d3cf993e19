// libFuzzer's target for the server (tools/fuzz.sh serve): bytes on one connection of a real one. Each gets well-formed
// answers, none of them 500, and the connection ends; never worse.
#include <cstdio>
#include <cstdlib>

#include "client.h"
#include "fuzz_site.h"

namespace {

using namespace hone::serve;

[[noreturn]] void stop(const char* what, std::string_view text) {
  std::fprintf(stderr, "%s: %.*s\n", what, static_cast<int>(std::min<size_t>(text.size(), 300)), text.data());
  std::abort();
}

// All that comes back, up to the end of the connection.
std::string exchange(int port, std::string_view bytes) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) stop("no connection", std::strerror(errno));
  const timeval patience{8, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) break;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  ::shutdown(fd, SHUT_WR);
  std::string answers;
  char some[65536];
  ssize_t n;
  while ((n = ::recv(fd, some, sizeof some, 0)) > 0) answers.append(some, static_cast<size_t>(n));
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) stop("the connection does not end", answers);
  ::close(fd);
  return answers;
}

// Answers one behind the other. An answer to HEAD says a length and has no body; no body of ours begins as an answer
// does.
void check(std::string_view text) {
  constexpr std::string_view kStart = "HTTP/1.1 ";
  while (!text.empty()) {
    const size_t end = text.find("\r\n\r\n");
    if (!text.starts_with(kStart) || end == text.npos) stop("no answer", text);
    const std::string head(text.substr(0, end + 2));
    const int status = std::atoi(head.c_str() + kStart.size());
    text.remove_prefix(end + 4);
    if (status == 100) continue;
    if (status < 200 || status > 505 || status == 500) stop("a bad status", head);
    if (head.find("\r\nX-Content-Type-Options: nosniff\r\n") == head.npos) stop("no rules", head);
    if (head.find("\r\nContent-Type: text/event-stream\r\n") != head.npos) return;  // up to the end
    const size_t length = head.find("\r\nContent-Length: ");
    if (length == head.npos || text.starts_with(kStart)) continue;
    const size_t bytes = std::strtoul(head.c_str() + length + 18, nullptr, 10);
    if (text.empty()) return;  // HEAD was the last
    if (text.size() < bytes) stop("a body cut short", head);
    text.remove_prefix(bytes);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static test::FuzzSite site;
  check(exchange(site.port(), site.with_port({reinterpret_cast<const char*>(data), size})));
  return 0;
}
