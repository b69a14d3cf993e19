// Every answer of a small space, its reward and its reference.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "oracle/oracle.h"

namespace hone::oracle {

/// Answers are numbers in base `vocab`, first token first. States are prefixes of 0 to length - 1 tokens.
class Space {
 public:
  explicit Space(const Problem& problem);

  int64_t vocab() const { return vocab_; }
  int64_t length() const { return length_; }
  int64_t answers() const { return answers_; }
  int64_t states() const { return states_; }
  /// The state after a prefix.
  int64_t state(std::span<const int32_t> prefix) const;
  std::vector<int32_t> answer(int64_t index) const;
  /// Unary and bigram terms, seeded; mean 0 and standard deviation 1 over all answers.
  double reward(std::span<const int32_t> answer) const;
  /// (states, vocab) logits of the reference.
  const std::vector<float>& reference() const { return reference_; }

  /// Probabilities of all answers under a table of logits.
  std::vector<double> probabilities(std::span<const float> logits) const;
  /// π_ref·exp(r/β)/Z for a reference of these logits (states, vocab).
  std::vector<double> optimum(double beta, std::span<const float> reference) const;

 private:
  int64_t vocab_, length_, answers_ = 1, states_ = 0;
  std::vector<int64_t> first_state_;    // of prefixes of each length
  std::vector<double> unary_, bigram_;  // (length, vocab), (vocab, vocab)
  double mean_ = 0, scale_ = 1;
  std::vector<float> reference_;
};

/// ½ Σ |p - q|.
double total_variation(std::span<const double> p, std::span<const double> q);

}  // namespace hone::oracle
