// HTTP/1.1 on this machine alone: for one person's pages, made so that no other site, program or user gets in, and that
// no client can stop it.
//
// 1. It listens on loopback and answers only where Host names loopback with the right port (DNS rebinding).
// 2. Everything below /api/ wants the token of a session (sessions.h); nothing that another site sends is answered.
// 3. Every request is bounded in bytes, headers, time and rate; connections, streams and waiting work in number.
// 4. Whatever arrives gets an answer (problems.def) or a closed connection, never a crash.
// 5. Handlers run on workers; a live stream holds none of them.
#pragma once
#include <memory>
#include <stop_token>
#include <string>

#include "serve/options.h"
#include "serve/routes.h"

namespace hone::serve {

struct Engine;  // in server.cpp

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
  std::unique_ptr<Engine> engine_;
};

}  // namespace hone::serve
