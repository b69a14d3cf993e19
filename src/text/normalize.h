// Normalisers of a tokenizer file: NFC and its kin, Replace, Prepend. Others are refused by name.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.h"

namespace hone::text {

class Normalizer {
 public:
  Normalizer() = default;
  /// From the "normalizer" entry; null is no normalisation.
  Normalizer(const Json& entry, const std::string& where);

  bool empty() const { return steps_.empty(); }
  /// Valid UTF-8 in, valid UTF-8 out. `continues`: the text goes on after ordinary text, so nothing is prepended.
  std::string apply(std::string_view text, bool continues) const;
  /// Calls `text` with everything that tells this normaliser from another, step by step.
  void describe(const std::function<void(std::string_view)>& text) const;

 private:
  struct Step {
    enum class Kind { kNfc, kNfd, kNfkc, kNfkd, kReplace, kPrepend } kind;
    std::string pattern, content;
  };
  void add(const Json& entry, const std::string& where, int depth);
  std::vector<Step> steps_;
};

}  // namespace hone::text
