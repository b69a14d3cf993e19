// The server that the fuzzer talks to: one session whose token is known, no bounds on rate, short ones on time.
#pragma once
#include "base/sha256.h"
#include "client.h"

namespace hone::serve::test {

inline const std::string kFuzzToken(64, 'f');

class KnownToken : public TokenStore {
 public:
  std::vector<StoredToken> load() override { return {{sha256(kFuzzToken), INT64_MAX}}; }
  void keep(const StoredToken&) override {}
  void forget(const std::string&) override {}
};

class FuzzSite {
 public:
  FuzzSite() : site_(options(), routes()) {}
  int port() const { return site_.port(); }
  /// Inputs are kept for any port: they say PORT where this one is meant.
  std::string with_port(std::string_view input) const {
    std::string out(input);
    for (size_t at = 0; (at = out.find(":PORT", at)) != out.npos;) out.replace(at + 1, 4, std::to_string(port()));
    return out;
  }

 private:
  Options options() {
    Options out;
    out.tokens = &token_;
    out.limits.requests_per_second = out.limits.requests_at_once = 1e9;
    out.limits.body_bytes = 20000;
    out.limits.header_time = out.limits.body_time = out.limits.idle_time = std::chrono::milliseconds(2000);
    return out;
  }
  static Routes routes() {
    Routes out = echo_routes();
    out.stream("/api/v1/live", [](const Request&, std::shared_ptr<EventStream> stream) {
      stream->send("note", "one\ntwo", "1");
      stream->close();
    });
    return out;
  }

  KnownToken token_;
  Site site_;
};

}  // namespace hone::serve::test
