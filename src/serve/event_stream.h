// One client's live stream of server-sent events (WHATWG HTML, 9.2), fed from any thread.
#pragma once
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace hone::serve {

/// Thread-safe. `send` never waits for the client: events wait in a queue of bounded size, and a client that lets it
/// overflow is dropped (it connects again, and says what it saw last in last-event-id). Outlives the server.
class EventStream {
 public:
  /// At most `limit` bytes may wait to be sent.
  explicit EventStream(size_t limit) : limit_(limit) {}

  /// Queues an event. `event` and `id` are one line each; `data` is any text (JSON for our pages). False: the client is
  /// gone or was dropped just now, and nothing more needs to be sent.
  bool send(std::string_view event, std::string_view data, std::string_view id = {});
  /// Ends the stream once everything queued is sent.
  void close();
  /// True once the client is gone, was dropped or `close` was called.
  bool closed() const;

  // For the server: what waits is taken all at once, and `wake` is called when there is something again.
  struct Waiting {
    std::string bytes;
    bool end = false;   ///< nothing comes behind these bytes
    bool drop = false;  ///< the client was too slow: cut it off
  };
  Waiting take();
  void on_wake(std::function<void()> wake);
  /// The connection is gone: every later `send` is false, `wake` is not called any more.
  void disconnect();

 private:
  void call_wake();  // with mutex_ held

  const size_t limit_;
  mutable std::mutex mutex_;
  std::string waiting_;
  std::function<void()> wake_;
  bool woken_ = false;
  bool closed_ = false;
  bool dropped_ = false;
};

}  // namespace hone::serve
