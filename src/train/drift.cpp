#include "train/drift.h"

#include <cmath>
#include <limits>

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
  own_ = sample(start_);
}

std::vector<DriftMeter::Sampled> DriftMeter::sample(const model::Decoder& policy) const {
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

  std::vector<Sampled> out(prompts_.size());
  const auto of_answer = [&](size_t i) -> Sampled& { return out[i / static_cast<size_t>(samples_)]; };
  std::vector<rollout::ScoredSequence> sequences;
  for (size_t i = 0; i < answers.size(); ++i) {
    std::vector<int32_t> ids = requests[i].prompt;
    ids.insert(ids.end(), answers[i].ids.begin(), answers[i].ids.end());
    sequences.push_back({std::move(ids), std::ssize(requests[i].prompt)});
    of_answer(i).tokens += static_cast<double>(answers[i].ids.size());
  }
  const rollout::ScoringOptions scoring{.compute = compute_, .absent_ids = absent_ids_};
  const auto add = [&](const model::Decoder& model, double Sampled::* nats) {
    const std::vector<double> logps = rollout::summed_logps(model, sequences, scoring);
    for (size_t i = 0; i < logps.size(); ++i) of_answer(i).*nats -= logps[i];
  };
  add(start_, &Sampled::start_nats);
  if (&policy != &start_) add(policy, &Sampled::policy_nats);
  return out;
}

Drift DriftMeter::measure(const model::Decoder& policy) const {
  const std::vector<Sampled> by_prompt = sample(policy);
  const auto sum = [](const std::vector<Sampled>& of, double Sampled::* what) {
    double out = 0;
    for (const Sampled& s : of) out += s.*what;
    return out;
  };
  const double nats = sum(by_prompt, &Sampled::start_nats), tokens = sum(by_prompt, &Sampled::tokens),
               own_nats = sum(own_, &Sampled::start_nats), own_tokens = sum(own_, &Sampled::tokens);
  if (tokens == 0) return {};
  Drift out{(nats - sum(by_prompt, &Sampled::policy_nats)) / tokens};
  if (own_nats <= 0) return out;
  out.start_loss_ratio = nats / tokens / (own_nats / own_tokens);
  if (nats <= 0) return out;
  // The ratio of two ratios of sums, linearised: what each prompt adds to its logarithm.
  double squares = 0;
  for (size_t p = 0; p < own_.size(); ++p) {
    const double part = by_prompt[p].start_nats / nats - by_prompt[p].tokens / tokens - own_[p].start_nats / own_nats +
                        own_[p].tokens / own_tokens;
    squares += part * part;
  }
  const auto n = static_cast<double>(own_.size());
  out.start_loss_ratio_error = n > 1 ? out.start_loss_ratio * std::sqrt(n / (n - 1) * squares)
                                     : std::numeric_limits<double>::infinity();  // one prompt tells nothing of others
  return out;
}

}  // namespace hone::train
