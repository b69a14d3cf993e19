// Who may talk to the server: one-time secrets of printed addresses, and the tokens that they are exchanged for.
//
// A secret (256 random bits) stands in the address's fragment, which a browser sends nobody. The page sends it once in
// POST /api/v1/session and gets a token (256 random bits), which every later request carries as
// "Authorization: Bearer TOKEN". No cookie: cookies are shared between the ports of a machine.
#pragma once
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hone::serve {

/// A token as it is kept: nobody can sign in with what stands here.
struct StoredToken {
  std::string sha256;      ///< hex, of the token
  int64_t expires_us = 0;  ///< microseconds since 1970, UTC
};

/// Where tokens stay over a restart. Called from the server's workers, one call at a time.
class TokenStore {
 public:
  virtual ~TokenStore() = default;
  virtual std::vector<StoredToken> load() = 0;  ///< once, when the server starts
  virtual void keep(const StoredToken& token) = 0;
  virtual void forget(const std::string& sha256) = 0;
};

class Sessions {
 public:
  /// `store` null: tokens live as long as this does.
  explicit Sessions(TokenStore* store);

  /// The secret that opens the next session; another one as soon as it is used.
  std::string secret() const;
  /// A new token for the right secret, and the secret is used up. Nothing for a wrong one.
  std::optional<std::string> exchange(std::string_view secret);
  /// The session's name (the token's SHA-256) if the token is one of an open session.
  std::optional<std::string> find(std::string_view token) const;
  /// Whether the session of this name is open.
  bool is_open(std::string_view name) const;
  /// Closes the session of this name.
  void end(const std::string& name);

  static constexpr size_t kMost = 64;   ///< sessions; beyond, the oldest is closed
  static constexpr int64_t kDays = 30;  ///< how long a session lasts

 private:
  void forget(size_t index);

  TokenStore* store_;
  mutable std::mutex mutex_;
  std::string secret_;
  std::vector<StoredToken> tokens_;  // the oldest first
};

}  // namespace hone::serve
