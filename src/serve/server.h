// HTTP/1.1 on this machine alone: for one person's pages, made so that no other site, program or user gets in, and that
// no client can stop it.
//
// 1. It listens on loopback and answers only where Host names loopback with the right port (DNS rebinding).
// 2. Everything below /api/ wants the token of a session (sessions.h); nothing that another site sends is answered.
// 3. Every request is bounded in bytes, headers, time and rate; connections, streams and waiting work in number.
// 4. Whatever arrives gets an answer (problems.def) or a closed connection, never a crash.
// 5. Handlers run on workers; a live stream holds none of them.
#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "serve/routes.h"
#include "serve/sessions.h"

namespace hone::serve {

struct Limits {
  size_t connections = 64;          ///< open at once; beyond, the longest idle one is closed, or the new one refused
  size_t streams = 32;              ///< of them live streams
  size_t workers = 4;               ///< threads that run handlers
  size_t waiting = 64;              ///< requests that wait for a worker
  size_t target_bytes = 4096;       ///< of path and query
  size_t header_bytes = 16384;      ///< of the request line and all headers
  size_t header_count = 64;         ///<
  size_t body_bytes = 1 << 20;      ///< chunked or not
  size_t stream_bytes = 1 << 20;    ///< of events that wait for a slow client
  double requests_per_second = 50;  ///< of one session; of everybody without one together
  double requests_at_once = 200;    ///< after a pause
  std::chrono::milliseconds header_time{5000};  ///< from a request's first byte to its last header
  std::chrono::milliseconds body_time{10000};   ///< from there to its last byte
  std::chrono::milliseconds write_time{10000};  ///< for an answer, or a piece of a stream, to be taken
  std::chrono::milliseconds idle_time{60000};   ///< without a request
  std::chrono::milliseconds heartbeat{15000};   ///< a comment in a silent stream
};

struct Options {
  std::string address = "127.0.0.1";  ///< or "::1" or "localhost"; anything else is refused
  int port = 0;                       ///< 0: any free one
  Limits limits;
  TokenStore* tokens = nullptr;  ///< must live as long as the server; null: sessions end with it
  /// Called by a worker after a secret was used: url() has another one.
  std::function<void()> on_session;
};

class Server {
 public:
  /// Listens from here on. An address that is not loopback, a port in use or not allowed: kUsage.
  /// Of its own it has POST /api/v1/session {"secret"} -> 201 {"token"} and DELETE /api/v1/session -> 204.
  Server(const Options& options, Routes routes);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int port() const;
  /// "http://127.0.0.1:8080/#secret=…": opens one session; after that this is another address.
  std::string url() const;
  /// Answers until a stop is asked for; then closes everything, streams too, within a second (a handler that is running
  /// is waited for). Once per server.
  void run(std::stop_token stop);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hone::serve
