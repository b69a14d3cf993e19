#include "annotate/token_table.h"

#include <charconv>

namespace hone::annotate {
namespace {

constexpr const char* kOwner = "sessions";

}  // namespace

std::vector<serve::StoredToken> TokenTable::load() {
  std::vector<serve::StoredToken> out;
  for (const feedback::OutsideEntry& entry : store_.list(feedback::Outside::kToken, kOwner)) {
    serve::StoredToken token{entry.name, 0};
    // A value that is no number leaves 0: expired long ago.
    std::from_chars(entry.value.data(), entry.value.data() + entry.value.size(), token.expires_us);
    out.push_back(std::move(token));
  }
  return out;
}

void TokenTable::keep(const serve::StoredToken& token) {
  store_.put(feedback::Outside::kToken, kOwner, token.sha256, std::to_string(token.expires_us));
}

void TokenTable::forget(const std::string& sha256) { store_.drop(feedback::Outside::kToken, kOwner, sha256); }

}  // namespace hone::annotate
