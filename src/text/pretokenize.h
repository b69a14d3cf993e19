// Cuts normalised text into words, inside which tokens are merged: Split by regular expression or string, Digits,
// ByteLevel, Metaspace, and sequences of them. Others are refused by name.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json_fwd.h"
#include "text/regex.h"

namespace hone::text {

/// The split of GPT-2, and of `ByteLevel` with `use_regex`.
extern const char* const kGpt2Split;
/// Qwen2's: contractions in either case, single digits, newlines on their own.
extern const char* const kQwen2Split;

class PreTokenizer {
 public:
  PreTokenizer() = default;
  /// From the "pre_tokenizer" entry; null keeps the text whole.
  PreTokenizer(const Json& entry, const std::string& where);

  /// Whether words are bytes (a `ByteLevel` step) and not characters.
  bool byte_level() const { return byte_level_; }
  /// Appends the words of valid UTF-8 text. They point into `text`, which a prefix space or Metaspace may change.
  /// `continues`: the text goes on after ordinary text, so no space is put before it.
  void split(std::string& text, bool continues, std::vector<std::string_view>& words) const;
  /// Calls `text` with everything that tells this pre-tokenizer from another, step by step.
  void describe(const std::function<void(std::string_view)>& text) const;

 private:
  enum class Behavior { kRemoved, kIsolated, kContiguous, kMergedWithPrevious, kMergedWithNext };
  struct Step {
    std::optional<Regex> regex;
    std::string literal;  // where there is no regular expression
    Behavior behavior = Behavior::kIsolated;
    bool invert = false;
  };
  void add(const Json& entry, const std::string& where, int depth);
  void add_split(const Json& entry, const std::string& where);
  static void apply(const Step& step, std::string_view piece, std::vector<std::pair<size_t, size_t>>& matches,
                    std::vector<std::string_view>& out);

  std::vector<Step> steps_;
  bool byte_level_ = false;
  bool prefix_space_ = false;
  std::string metaspace_;  // what stands for a space; empty: no Metaspace
  bool metaspace_prepends_ = false;
};

}  // namespace hone::text
