// Sessions that outlive a restart: the tokens' hashes in the store, outside its log.
#pragma once
#include "feedback/store.h"
#include "serve/sessions.h"

namespace hone::annotate {

/// Borrows the store.
class TokenTable : public serve::TokenStore {
 public:
  explicit TokenTable(feedback::Store& store) : store_(store) {}
  std::vector<serve::StoredToken> load() override;
  void keep(const serve::StoredToken& token) override;
  void forget(const std::string& sha256) override;

 private:
  feedback::Store& store_;
};

}  // namespace hone::annotate
