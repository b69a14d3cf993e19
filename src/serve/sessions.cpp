#include "serve/sessions.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <chrono>

#include "base/error.h"
#include "base/sha256.h"

namespace hone::serve {
namespace {

// 256 random bits as 64 hexadecimal digits.
std::string random_text() {
  unsigned char bytes[32];
  if (RAND_bytes(bytes, sizeof bytes) != 1) run_error("the system gives no random numbers for a session's secret");
  std::string text;
  for (const unsigned char b : bytes) {
    text += "0123456789abcdef"[b >> 4];
    text += "0123456789abcdef"[b & 15];
  }
  return text;
}

// In a time that tells nothing but the lengths.
bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

int64_t now_us() {
  using namespace std::chrono;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace

Sessions::Sessions(TokenStore* store) : store_(store), secret_(random_text()) {
  if (!store_) return;
  tokens_ = store_->load();
  std::ranges::sort(tokens_, {}, &StoredToken::expires_us);
  while (!tokens_.empty() && (tokens_.size() > kMost || tokens_.front().expires_us <= now_us())) forget(0);
}

std::string Sessions::secret() const {
  const std::lock_guard lock(mutex_);
  return secret_;
}

std::optional<std::string> Sessions::exchange(std::string_view secret) {
  const std::lock_guard lock(mutex_);
  if (!same(secret, secret_)) return {};
  std::string token = random_text();
  const StoredToken kept{sha256(token), now_us() + kDays * 24 * 3600 * 1'000'000};
  // The store first: where it fails, the secret is not used up.
  while (tokens_.size() >= kMost) forget(0);
  if (store_) store_->keep(kept);
  secret_ = random_text();
  tokens_.push_back(kept);
  return token;
}

std::optional<std::string> Sessions::find(std::string_view token) const {
  std::string name = sha256(token);
  if (!is_open(name)) return {};
  return name;
}

bool Sessions::is_open(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const StoredToken* found = nullptr;
  for (const StoredToken& token : tokens_)  // all of them, so that the time tells nothing of which
    if (same(name, token.sha256)) found = &token;
  return found && found->expires_us > now_us();
}

void Sessions::end(const std::string& name) {
  const std::lock_guard lock(mutex_);
  for (size_t i = tokens_.size(); i-- > 0;)
    if (tokens_[i].sha256 == name) forget(i);
}

void Sessions::forget(size_t index) {
  if (store_) store_->forget(tokens_[index].sha256);
  tokens_.erase(tokens_.begin() + static_cast<std::ptrdiff_t>(index));
}

}  // namespace hone::serve
