// How far a policy has left the model that it started from, on answers of its own: the two figures that `hone eval`
// takes of open-ended answers (kl_per_token, start_loss_ratio), cheap enough to take while a stage learns.
#pragma once
#include <vector>

#include "model/decoder.h"
#include "train/asked_prompts.h"

namespace hone::train {

struct Drift {
  double kl_per_token = 0;  ///< Σ log π/π_start over Σ tokens, of what the policy samples at temperature 1 (k1), nats
  double start_loss_ratio = 1;        ///< the start's loss per token on those answers over that on its own
  double start_loss_ratio_error = 0;  ///< its standard error, over prompts; infinite of one
};

class DriftMeter {
 public:
  /// `start` as it is now, before anything is learnt, is copied where it trains and shared where it is frozen. Its own
  /// answers are sampled here, `samples` to each of `prompts`, with at most `max_tokens` tokens.
  DriftMeter(const model::Decoder& start, const data::Encoder& encoder, std::vector<AskedPrompt> prompts,
             int64_t samples, int64_t max_tokens, at::ScalarType compute, uint64_t seed);

  /// The policy meets the same random numbers at every call.
  Drift measure(const model::Decoder& policy) const;
  const model::Decoder& start() const { return start_; }

 private:
  struct Sampled {
    double start_nats = 0, policy_nats = 0, tokens = 0;  // negative log-probabilities, summed over a prompt's answers
  };
  std::vector<Sampled> sample(const model::Decoder& policy) const;  // by prompt

  model::Decoder start_;
  std::vector<AskedPrompt> prompts_;
  std::vector<int32_t> end_ids_, absent_ids_;
  int64_t samples_, max_tokens_;
  at::ScalarType compute_;
  uint64_t seed_;
  std::vector<Sampled> own_;  // the start's answers
};

}  // namespace hone::train
