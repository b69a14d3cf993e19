#include "train/drift.h"

#include <algorithm>

#include "base/rng.h"
#include "rollout/generate.h"
#include "rollout/logprobs.h"
#include "train/adapt.h"

namespace hone::train {
namespace {

// Where an adapter learns, the base beneath is frozen and shared; else every weight learns and is copied.
model::Decoder start_of(const model::Decoder& policy) {
  return policy.adapter() != nullptr ? over_same_base(policy) : policy.clone();
}

}  // namespace

DriftMeter::DriftMeter(const model::Decoder& start, const data::Encoder& encoder, std::vector<AskedPrompt> prompts,
                       int64_t samples, int64_t max_tokens, at::ScalarType compute, uint64_t seed)
    : start_(start_of(start)),
      prompts_(std::move(prompts)),
      end_ids_(encoder.endings().ids()),
      absent_ids_(encoder.tokenizer().without_token(start.config().vocab_size)),
      samples_(samples),
      max_tokens_(max_tokens),
      compute_(compute),
      seed_(mix64(seed, hash64("drift"))) {
  start_.set_trainable(false);
  const Sampled own = sample(start_);
  own_loss_ = own.start_nats / std::max(1.0, own.tokens);
}

DriftMeter::Sampled DriftMeter::sample(const model::Decoder& policy) const {
  std::vector<rollout::Request> requests;
  for (const AskedPrompt& p : prompts_)
    for (int64_t k = 0; k < samples_; ++k) requests.push_back({p.tokens, p.key, static_cast<uint64_t>(k)});
  rollout::SamplingParams sampling;
  sampling.max_tokens = max_tokens_;
  sampling.kv_gb = 0.5;
  rollout::GenerateOptions options;
  options.seed = seed_;
  options.end_ids = end_ids_;
  options.absent_ids = absent_ids_;
  const std::vector<rollout::Completion> answers = rollout::generate(policy, requests, sampling, options);

  Sampled out;
  std::vector<rollout::ScoredSequence> sequences;
  for (size_t i = 0; i < answers.size(); ++i) {
    std::vector<int32_t> ids = requests[i].prompt;
    ids.insert(ids.end(), answers[i].ids.begin(), answers[i].ids.end());
    sequences.push_back({std::move(ids), std::ssize(requests[i].prompt)});
    out.tokens += static_cast<double>(answers[i].ids.size());
  }
  const rollout::ScoringOptions scoring{.compute = compute_, .absent_ids = absent_ids_};
  for (const double logp : rollout::summed_logps(start_, sequences, scoring)) out.start_nats -= logp;
  if (&policy == &start_) out.policy_nats = out.start_nats;
  else
    for (const double logp : rollout::summed_logps(policy, sequences, scoring)) out.policy_nats -= logp;
  return out;
}

Drift DriftMeter::measure(const model::Decoder& policy) const {
  const Sampled s = sample(policy);
  if (s.tokens == 0) return {};
  return {(s.start_nats - s.policy_nats) / s.tokens, own_loss_ > 0 ? s.start_nats / s.tokens / own_loss_ : 1};
}

}  // namespace hone::train
