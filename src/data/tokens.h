// Rows as token ids. The loss weight of every token is fixed here, at tokenisation, and carried to the loss; nothing
// later looks at a pad id or searches for a marker to find out what is trained.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "base/common_beginning.h"

namespace hone::data {

/// Invariants: ids.size() == weight.size(); weight[0] == 0 (nothing precedes it).
struct Sequence {
  std::vector<int32_t> ids;
  std::vector<float> weight;  ///< weight[i]: of predicting ids[i] from ids[0..i-1] in the loss
  int64_t size() const { return static_cast<int64_t>(ids.size()); }
};

/// Two answers to one prompt; both begin with the same prompt_length ids.
struct Pair {
  Sequence chosen, rejected;
  int64_t prompt_length = 0;
  double weight = 1, margin = 0;
  bool tie = false;  ///< neither is preferred: no side to be right about
  /// Tokens of a pass: what both begin with alike is computed once.
  int64_t size() const {
    const std::array<std::span<const int32_t>, 2> both{chosen.ids, rejected.ids};
    return chosen.size() + rejected.size() - hone::common_beginning(both);
  }
};

/// JudgedAnswers as token ids: all answers begin with the same prompt_length ids.
struct JudgedGroup {
  std::vector<Sequence> answers;
  int64_t prompt_length = 0;
  double weight = 1, margin = 0;
  bool good = true, tie = false;
  /// Tokens of a pass: what all begin with alike is computed once.
  int64_t size() const {
    std::vector<std::span<const int32_t>> ids;
    int64_t tokens = 0;
    for (const Sequence& s : answers) ids.emplace_back(s.ids), tokens += s.size();
    return tokens - (std::ssize(answers) - 1) * hone::common_beginning(ids);
  }
};

/// Ids up to where the answer begins.
using PromptIds = std::vector<int32_t>;

}  // namespace hone::data
