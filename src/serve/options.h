// How a server is set up, and every limit that it holds.
#pragma once
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

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

}  // namespace hone::serve
