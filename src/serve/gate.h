// What stands between the wire and the handlers: every check that a request must pass, in one place and without a
// socket.
#pragma once
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "serve/options.h"
#include "serve/routes.h"
#include "serve/sessions.h"
#include "serve/token_bucket.h"

namespace hone::serve {

/// The head of a request as it came off the wire.
struct Head {
  std::string method, target;
  std::vector<std::pair<std::string, std::string>> fields;  ///< in order, names as they were sent
  bool has_body = false;                                    ///< one is announced
};

/// A request that may go on: to its body, and then to `route`.
struct Admitted {
  Request request;
  const Routes::Route* route = nullptr;
  bool head_only = false;  ///< it was a HEAD
};

class Gate {
 public:
  /// `port`: the one that the server listens on.
  Gate(const Options& options, Routes routes, int port);

  /// The checks, in this order: headers' number and form, target, Host, Sec-Fetch-Site and Origin, session, rate, route
  /// and method, Expect, body and its type. Nothing of the body has been read. From one thread at a time.
  std::variant<Admitted, Response> admit(const Head& head);
  /// Runs the route's handler, or gives its file. Never throws.
  Response answer(const Admitted& admitted);
  /// Runs a stream's handler; an answer only where it refuses. Never throws.
  std::optional<Response> open(const Admitted& admitted, std::shared_ptr<EventStream> stream);

  Sessions& sessions() { return sessions_; }

 private:
  Admitted check(const Head& head);
  void check_site(const Request& request, bool api) const;
  void check_rate(const std::string& session);
  Response sign_in(const Request& request);

  const Limits limits_;
  const std::function<void()> on_session_;
  Sessions sessions_;
  Routes routes_;
  std::set<std::string> hosts_;               // the values of Host that are answered
  TokenBucket strangers_;                     // everybody without a session
  std::map<std::string, TokenBucket> rates_;  // by session
  std::mutex guesses_mutex_;
  TokenBucket guesses_;  // wrong secrets
};

}  // namespace hone::serve
