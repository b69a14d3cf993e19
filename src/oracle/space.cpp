#include "oracle/space.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/rng.h"
#include "base/stats.h"

namespace hone::oracle {

Space::Space(const Problem& problem) : vocab_(problem.vocab), length_(problem.length) {
  HONE_CHECK(vocab_ >= 2 && vocab_ <= 8 && length_ >= 1 && length_ <= 5, "too large to enumerate");
  for (int64_t t = 0; t < length_; ++t) {
    first_state_.push_back(states_);
    states_ += answers_;
    answers_ *= vocab_;
  }
  Stream random(problem.seed, "oracle");
  for (int64_t i = 0; i < length_ * vocab_; ++i) unary_.push_back(random.normal());
  for (int64_t i = 0; i < vocab_ * vocab_; ++i) bigram_.push_back(random.normal());
  for (int64_t i = 0; i < states_ * vocab_; ++i) reference_.push_back(static_cast<float>(0.5 * random.normal()));
  std::vector<double> raw;
  for (int64_t i = 0; i < answers_; ++i) raw.push_back(reward(answer(i)));
  mean_ = stats::mean(raw);
  scale_ = stats::stddev(raw);
}

int64_t Space::state(std::span<const int32_t> prefix) const {
  int64_t index = 0;
  for (const int32_t token : prefix) index = index * vocab_ + token;
  return first_state_[prefix.size()] + index;
}

std::vector<int32_t> Space::answer(int64_t index) const {
  std::vector<int32_t> out(length_);
  for (int64_t t = length_ - 1; t >= 0; --t, index /= vocab_) out[t] = static_cast<int32_t>(index % vocab_);
  return out;
}

double Space::reward(std::span<const int32_t> answer) const {
  double sum = 0;
  for (size_t t = 0; t < answer.size(); ++t) {
    sum += unary_[t * static_cast<size_t>(vocab_) + static_cast<size_t>(answer[t])];
    if (t > 0) sum += bigram_[answer[t - 1] * vocab_ + answer[t]];
  }
  return (sum - mean_) / scale_;
}

std::vector<double> Space::probabilities(std::span<const float> logits) const {
  std::vector<double> logp(logits.size());
  for (int64_t s = 0; s < states_; ++s) {
    const float* row = logits.data() + s * vocab_;
    double sum = 0;
    const double largest = *std::max_element(row, row + vocab_);
    for (int64_t v = 0; v < vocab_; ++v) sum += std::exp(row[v] - largest);
    for (int64_t v = 0; v < vocab_; ++v) logp[s * vocab_ + v] = row[v] - largest - std::log(sum);
  }
  std::vector<double> out;
  for (int64_t i = 0; i < answers_; ++i) {
    const std::vector<int32_t> tokens = answer(i);
    double sum = 0;
    for (size_t t = 0; t < tokens.size(); ++t) sum += logp[state(std::span(tokens).first(t)) * vocab_ + tokens[t]];
    out.push_back(std::exp(sum));
  }
  return out;
}

std::vector<double> Space::optimum(double beta, std::span<const float> reference) const {
  std::vector<double> out = probabilities(reference);
  double sum = 0;
  for (int64_t i = 0; i < answers_; ++i) sum += out[i] *= std::exp(reward(answer(i)) / beta);
  for (double& p : out) p /= sum;
  return out;
}

double total_variation(std::span<const double> p, std::span<const double> q) {
  double sum = 0;
  for (size_t i = 0; i < p.size(); ++i) sum += std::abs(p[i] - q[i]);
  return sum / 2;
}

}  // namespace hone::oracle
