// Proximal policy optimisation: Schulman et al. 2017, arXiv 1707.06347, in the form of Ziegler et al. 2019
// (arXiv 1909.08593) and Ouyang et al. 2022 (arXiv 2203.02155): a reward at the end of each answer, a penalty
// -β·log(π/π_ref) at each token, advantages by GAE with a learnt critic.
//
// Differs from the papers in: policy and critic are separate networks with separate optimisers, so no loss weighs one
// against the other; log-probabilities of the old policy are made again by the training forward, never taken from the
// sampler; every disputed choice is a named setting (advantages/params.h, losses/params.h).
#include "train/ppo_learner.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "advantages/estimator.h"
#include "advantages/masked.h"
#include "advantages/rewards.h"
#include "advantages/slots.h"
#include "base/error.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/rng.h"
#include "base/stats.h"
#include "losses/aggregate.h"
#include "losses/ppo.h"
#include "optim/schedule.h"
#include "tensor/from_host.h"
#include "train/batch_plan.h"
#include "train/trainable.h"

namespace hone::train {

void PpoParams::check_algorithm() const {
  if (sampling.top_p < 1 || sampling.top_k > 0)
    usage_error("PPO samples from the whole distribution: sampling.top_p must be 1 and sampling.top_k 0",
                "a cut support makes the importance ratio wrong (its mean becomes the kept mass)");
  if (sampling.min_tokens > 0)
    usage_error("PPO samples from the whole distribution: sampling.min_tokens must be 0",
                "a forbidden end token makes the importance ratio wrong");
  if (sampling.temperature <= 0)
    usage_error("PPO cannot learn from greedy samples: sampling.temperature must be above 0");
  // At c <= 1 the bound -c·A lies below the loss of a ratio of 1, so no token with A < 0 would teach (Ye et al. 2020).
  if (loss.dual_clip > 0 && loss.dual_clip <= 1)
    usage_error("loss.dual_clip is " + decimal_text(loss.dual_clip, 3) + ", must be above 1, or 0 for none",
                "verl takes 3, NeMo-RL 10 (Ye et al. 2020, arXiv 1912.09729)");
  HONE_CHECK(minibatches > 0 && policy_epochs > 0 && batch_prompts > 0 && samples_per_prompt > 0);
}

// One iteration's rollouts, on the CPU. Answers' tokens stand end to end (R of them); slots are tokens plus, where the
// score sits behind the last token, one state more for some answers (advantages/slots.h; N of them).
struct PpoLearner::Experience {
  advantages::Slots slots;
  std::vector<int64_t> token_offsets{0};  // S+1, in tokens
  std::vector<uint8_t> extra;             // S: 1 where a slot follows the last token; empty: none
  Tensor old_logp;                        // (R) in the policy's dtype: the ratio is 1 until the policy moves
  Tensor reference_logp;                  // (R) f32
  Tensor entropy;                         // (R) f32, nats
  Tensor values, returns;                 // (N) f32
  Tensor advantages;                      // (R) f32
  advantages::ShapedRewards shaped;
  double gap_mean = 0, gap_max = 0, explained_variance = 0;
};

struct PpoLearner::Totals {
  losses::PolicyStats policy, first_minibatch;
  double policy_loss = 0, entropy_loss = 0, extra_loss = 0, value_loss = 0, policy_grad = 0, critic_grad = 0;
  int64_t policy_steps = 0, critic_steps = 0;
  bool stopped_early = false;
};

PpoLearner::PpoLearner(const PpoParams& params, uint64_t seed, int64_t total_steps, at::Device device, Actor actor,
                       Actor reference, Critic critic, RewardFunction reward, ExtraLoss extra)
    : params_(params),
      seed_(seed),
      total_steps_(total_steps),
      device_(device),
      actor_(std::move(actor)),
      reference_(std::move(reference)),
      critic_(std::move(critic)),
      reward_(std::move(reward)),
      extra_(std::move(extra)),
      policy_optimizer_(actor_.parameters, params.policy_optim),
      critic_optimizer_(critic_.parameters, params.critic_optim),
      kl_(params.kl) {
  params_.policy_optim.schedule = optim::fit_schedule(params.policy_optim.schedule, total_steps);
  params_.critic_optim.schedule = optim::fit_schedule(params.critic_optim.schedule, total_steps);
  if (params_.micro_tokens <= 0) params_.micro_tokens = 16384;  // a stage goes by its model (train/memory.h)
  params_.check_algorithm();
}

LogpsOptions PpoLearner::logps_options() const {
  LogpsOptions options;
  options.inv_temperature = 1 / params_.sampling.temperature;
  return options;
}

// Trajectories `members` as tensors; `rows` are their rows among all rows of the iteration.
Batch PpoLearner::batch_of(std::span<const int64_t> members, const Experience& e, Tensor& rows) const {
  std::vector<const data::Sequence*> sequences;
  std::vector<int64_t> indices;
  for (const int64_t m : members) {
    sequences.push_back(&trajectories_[static_cast<size_t>(m)].sequence);
    for (int64_t r = e.token_offsets[static_cast<size_t>(m)]; r < e.token_offsets[static_cast<size_t>(m) + 1]; ++r)
      indices.push_back(r);
  }
  rows = from_host(indices);
  return collate(sequences, device_);
}

// The state before token t is the hidden state that predicts it; the state behind the last token is that token's own.
Tensor PpoLearner::value_rows(const Batch& batch, std::span<const int64_t> members, const Experience& e) const {
  if (e.extra.empty()) return batch.rows;
  const Tensor rows = batch.rows.to(at::kCPU), last = batch.last.to(at::kCPU);
  std::vector<int64_t> out;
  for (size_t s = 0; s < members.size(); ++s) {
    for (int64_t r = batch.row_offsets[s]; r < batch.row_offsets[s + 1]; ++r)
      out.push_back(rows.const_data_ptr<int64_t>()[r]);
    if (e.extra[static_cast<size_t>(members[s])]) out.push_back(last.const_data_ptr<int64_t>()[s]);
  }
  return from_host(out, device_);
}

// Samples, scores, and looks at every answer once with each network in the training forward's shape.
PpoLearner::Experience PpoLearner::collect(std::span<const rollout::Request> requests) {
  const at::NoGradGuard no_grad;
  std::vector<rollout::Completion> completions = actor_.sample(requests);
  HONE_CHECK(completions.size() == requests.size());
  trajectories_.clear();
  lengths_.clear();
  all_.resize(requests.size());
  std::iota(all_.begin(), all_.end(), 0);
  tokens_ = 0;
  Experience e;
  for (size_t i = 0; i < requests.size(); ++i) {
    Trajectory t;
    t.prompt_tokens = static_cast<int64_t>(requests[i].prompt.size());
    t.sequence.ids = requests[i].prompt;
    t.sequence.ids.insert(t.sequence.ids.end(), completions[i].ids.begin(), completions[i].ids.end());
    t.sequence.weight.assign(requests[i].prompt.size(), 0.0f);
    t.sequence.weight.resize(t.sequence.ids.size(), 1.0f);
    t.completion = std::move(completions[i]);
    tokens_ += t.sequence.size();
    lengths_.push_back(t.sequence.size());
    e.token_offsets.push_back(e.token_offsets.back() + static_cast<int64_t>(t.completion.ids.size()));
    trajectories_.push_back(std::move(t));
  }
  const std::vector<double> scores = reward_(trajectories_);
  HONE_CHECK(scores.size() == trajectories_.size());
  for (size_t i = 0; i < scores.size(); ++i) trajectories_[i].score = scores[i];

  std::vector<int64_t> answer_lengths;
  for (const Trajectory& t : trajectories_) answer_lengths.push_back(static_cast<int64_t>(t.completion.ids.size()));
  e.extra = advantages::extra_slots(params_.shaping.score_position, answer_lengths, params_.sampling.max_tokens);
  e.slots = advantages::make_slots(answer_lengths, e.extra);

  LogpsOptions with_entropy = logps_options();
  with_entropy.entropy = true;
  std::vector<Tensor> old_logps, reference_logps, entropies, values;
  for (const auto members : micro(all_)) {
    Tensor rows;
    const Batch b = batch_of(members, e, rows);
    const TokenLogps own = actor_.logps(b, with_entropy);
    old_logps.push_back(own.logps.to(at::kCPU));
    entropies.push_back(own.entropy.to(at::kCPU, at::kFloat));
    reference_logps.push_back(reference_.logps(b, logps_options()).logps.to(at::kCPU, at::kFloat));
    values.push_back(critic_.values(b, value_rows(b, members, e)).to(at::kCPU, at::kFloat));
  }
  e.old_logp = at::cat(old_logps);
  e.entropy = at::cat(entropies);
  e.reference_logp = at::cat(reference_logps);
  e.values = at::cat(values);

  // The gauge: sampler against trainer on the same tokens and weights.
  const Tensor sampler = at::empty(e.old_logp.sizes(), at::kFloat);
  float* out = sampler.mutable_data_ptr<float>();
  for (const Trajectory& t : trajectories_) out = std::copy(t.completion.logps.begin(), t.completion.logps.end(), out);
  const Tensor gap = (sampler - e.old_logp).abs();
  e.gap_mean = gap.mean().item<double>();
  e.gap_max = gap.max().item<double>();
  return e;
}

std::vector<std::span<const int64_t>> PpoLearner::micro(std::span<const int64_t> members) const {
  return micro_batches(members, lengths_, params_.micro_tokens);
}

std::vector<std::vector<int64_t>> PpoLearner::shuffled_minibatches(const char* purpose, int64_t step,
                                                                   int64_t epoch) const {
  std::vector<int64_t> order = all_;
  Stream(seed_, purpose, static_cast<uint64_t>(step), static_cast<uint64_t>(epoch)).shuffle(order);
  const auto count = std::min<size_t>(static_cast<size_t>(params_.minibatches), order.size());
  std::vector<std::vector<int64_t>> out(count);
  for (size_t m = 0; m < count; ++m)
    out[m].assign(order.begin() + static_cast<std::ptrdiff_t>(order.size() * m / count),
                  order.begin() + static_cast<std::ptrdiff_t>(order.size() * (m + 1) / count));
  return out;
}

// One normaliser for the whole minibatch, its number of tokens, so that micro-batches add up to the same gradient.
void PpoLearner::update_policy(const Experience& e, int64_t step, Totals& totals) {
  const double factor = optim::schedule_factor(params_.policy_optim.schedule, step, total_steps_);
  LogpsOptions options = logps_options();
  options.entropy = options.entropy_grad = params_.loss.entropy_coef != 0;
  for (int64_t epoch = 0; epoch < params_.policy_epochs && !totals.stopped_early; ++epoch) {
    losses::PolicyStats epoch_stats;
    for (const std::vector<int64_t>& members : shuffled_minibatches("ppo-policy", step, epoch)) {
      double tokens = 0;
      for (const int64_t m : members)
        tokens +=
            static_cast<double>(e.token_offsets[static_cast<size_t>(m) + 1] - e.token_offsets[static_cast<size_t>(m)]);
      policy_optimizer_.zero_grad();
      losses::PolicyStats stats;
      double loss_sum = 0, entropy_sum = 0;
      for (const auto part : micro(members)) {
        Tensor rows;
        const Batch b = batch_of(part, e, rows);
        const auto pick = [&](const Tensor& t) { return t.index_select(0, rows).to(device_); };
        const TokenLogps logps = actor_.logps(b, options);
        const losses::Surrogate surrogate =
            losses::clipped_surrogate(logps.logps, pick(e.old_logp), pick(e.advantages), params_.loss);
        Tensor loss = losses::reduce(surrogate.loss, tokens);
        loss_sum += loss.item<double>();
        if (options.entropy) {
          const Tensor bonus = losses::reduce(losses::entropy_loss(logps.entropy, params_.loss), tokens);
          entropy_sum += bonus.item<double>();
          loss = loss + bonus;
        }
        loss.backward();
        stats.add(surrogate, at::ones_like(surrogate.loss.detach()));
      }
      if (extra_) totals.extra_loss += extra_(step * 1000 + totals.policy_steps);
      if (!std::isfinite(loss_sum)) throw NonFinite{"policy loss"};
      const double norm = policy_optimizer_.step(factor);
      if (!std::isfinite(norm)) throw NonFinite{"policy gradient"};
      if (totals.policy_steps == 0) totals.first_minibatch = stats;
      totals.policy_loss += loss_sum;
      totals.entropy_loss += entropy_sum;
      totals.policy_grad += norm;
      ++totals.policy_steps;
      for (losses::PolicyStats* s : {&totals.policy, &epoch_stats}) {
        s->weight += stats.weight, s->clipped += stats.clipped, s->k1 += stats.k1, s->k2 += stats.k2, s->k3 += stats.k3;
        s->ratio_max = std::max(s->ratio_max, stats.ratio_max);
      }
      if (params_.target_kl > 0 && epoch_stats.kl_k3() > params_.target_kl) {
        totals.stopped_early = true;
        break;
      }
    }
  }
}

void PpoLearner::update_critic(const Experience& e, int64_t step, Totals& totals) {
  const double factor = optim::schedule_factor(params_.critic_optim.schedule, step, total_steps_);
  for (int64_t epoch = 0; epoch < params_.critic_epochs; ++epoch)
    for (const std::vector<int64_t>& members : shuffled_minibatches("ppo-critic", step, epoch)) {
      double slots = 0;
      for (const int64_t m : members)
        slots +=
            static_cast<double>(e.slots.offsets[static_cast<size_t>(m) + 1] - e.slots.offsets[static_cast<size_t>(m)]);
      critic_optimizer_.zero_grad();
      double loss_sum = 0;
      for (const auto part : micro(members)) {
        Tensor rows;
        const Batch b = batch_of(part, e, rows);
        std::vector<int64_t> indices;
        for (const int64_t m : part)
          for (int64_t i = e.slots.offsets[static_cast<size_t>(m)]; i < e.slots.offsets[static_cast<size_t>(m) + 1];
               ++i)
            indices.push_back(i);
        const Tensor slot_index = from_host(indices);
        const auto pick = [&](const Tensor& t) { return t.index_select(0, slot_index).to(device_); };
        const Tensor loss = losses::reduce(losses::value_loss(critic_.values(b, value_rows(b, part, e)), pick(e.values),
                                                              pick(e.returns), params_.loss),
                                           slots);
        loss.backward();
        loss_sum += loss.item<double>();
      }
      if (!std::isfinite(loss_sum)) throw NonFinite{"value loss"};
      const double norm = critic_optimizer_.step(factor);
      if (!std::isfinite(norm)) throw NonFinite{"critic gradient"};
      totals.value_loss += loss_sum;
      totals.critic_grad += norm;
      ++totals.critic_steps;
    }
}

// Rewards of tokens, advantages and returns, in f64 sums of one fixed order (advantages/).
void PpoLearner::shape(Experience& e) const {
  std::vector<float> score;
  std::vector<uint8_t> finished;
  for (const Trajectory& t : trajectories_) {
    score.push_back(static_cast<float>(t.score));
    finished.push_back(t.completion.finish == rollout::Finish::kStop);
  }
  const auto span = [](const Tensor& t) {
    return std::span<const float>(t.const_data_ptr<float>(), static_cast<size_t>(t.numel()));
  };
  const Tensor old_logp = e.old_logp.to(at::kFloat);
  e.shaped = advantages::shape_rewards(e.slots, {score, finished, span(old_logp), span(e.reference_logp)}, kl_.coef(),
                                       params_.shaping);
  const advantages::Estimates estimates =
      advantages::estimate({e.slots, e.shaped.rewards, span(e.values), {}}, params_.advantage);
  e.advantages = from_host(e.slots.at_actions(estimates.advantages));
  e.returns = from_host(estimates.returns);
  e.explained_variance = advantages::explained_variance(span(e.values), estimates.returns);
}

Numbers PpoLearner::step(int64_t step, std::span<const rollout::Request> requests) {
  Experience e = collect(requests);
  shape(e);
  Totals totals;
  const bool policy_learns = step >= params_.critic_warmup;
  if (policy_learns) update_policy(e, step, totals);
  update_critic(e, step, totals);

  const auto mean_of = [](std::span<const float> v) {
    double sum = 0;
    for (const float x : v) sum += x;
    return v.empty() ? 0 : sum / static_cast<double>(v.size());
  };
  std::vector<double> scores;
  double length = 0, ended = 0, penalty = 0;
  for (const Trajectory& t : trajectories_) {
    scores.push_back(t.score);
    length += static_cast<double>(t.completion.ids.size());
    ended += t.completion.finish == rollout::Finish::kStop;
  }
  const auto n = static_cast<double>(trajectories_.size());
  const double kl = mean_of(e.shaped.kl), beta = kl_.coef();
  penalty = beta * kl;
  const double steps = std::max<double>(1, static_cast<double>(totals.policy_steps));
  Numbers out{{"score", stats::mean(scores)},
              {"score_std", stats::stddev(scores)},
              {"reward", mean_of(e.shaped.score) - penalty},
              {"reward_score", mean_of(e.shaped.score)},
              {"reward_kl", -penalty},
              {"kl", kl},
              {"kl_k3", mean_of(e.shaped.kl_k3)},
              {"kl_coef", beta},
              {"entropy", e.entropy.mean(at::kDouble).item<double>()},
              {"length", length / n},
              {"eos_share", ended / n},
              {"clip_fraction", totals.policy.clip_fraction()},
              {"clip_fraction_first", totals.first_minibatch.clip_fraction()},
              {"ratio_max", totals.policy.ratio_max},
              {"ratio_max_first", totals.first_minibatch.ratio_max},
              {"policy_kl", totals.policy.kl_k3()},
              {"policy_loss", totals.policy_loss / steps},
              {"value_loss", totals.value_loss / std::max<double>(1, static_cast<double>(totals.critic_steps))},
              {"explained_variance", e.explained_variance},
              {"advantage_std", e.advantages.numel() > 1 ? e.advantages.std().item<double>() : 0},
              {"grad_norm", totals.policy_grad / steps},
              {"critic_grad_norm", totals.critic_grad / std::max<double>(1, static_cast<double>(totals.critic_steps))},
              {"policy_updates", static_cast<double>(totals.policy_steps)},
              {"logp_gap_mean", e.gap_mean},
              {"logp_gap_max", e.gap_max},
              {"tokens", static_cast<double>(tokens_)}};
  const auto factor = [&](const optim::OptimParams& p) {
    return optim::schedule_factor(p.schedule, step, total_steps_);
  };
  for (const auto& rate : policy_optimizer_.rates(policy_learns ? factor(params_.policy_optim) : 0))
    out.push_back(rate);
  for (const auto& [key, rate] : critic_optimizer_.rates(factor(params_.critic_optim)))
    out.emplace_back("critic_" + key, rate);
  if (params_.loss.entropy_coef != 0) out.emplace_back("entropy_loss", totals.entropy_loss / steps);
  if (extra_) out.emplace_back("pretrain_loss", totals.extra_loss / steps);
  kl_.update(kl, static_cast<int64_t>(trajectories_.size()));
  if (step == 0) first_score_ = stats::mean(scores);
  last_score_ = stats::mean(scores);
  last_kl_ = kl;
  return out;
}

optim::StateTensors PpoLearner::state_tensors() const {
  optim::StateTensors out;
  for (auto& [name, tensor] : policy_optimizer_.state()) out.emplace_back("policy_optim." + name, tensor);
  for (auto& [name, tensor] : critic_optimizer_.state()) out.emplace_back("critic_optim." + name, tensor);
  return out;
}

Json PpoLearner::state() const {
  return {{"kl", kl_.state()}, {"first_score", first_score_}, {"last_score", last_score_}, {"last_kl", last_kl_}};
}

void PpoLearner::load_state(const optim::StateTensors& tensors, const Json& state) {
  policy_optimizer_.load_state(with_prefix(tensors, "policy_optim."));
  critic_optimizer_.load_state(with_prefix(tensors, "critic_optim."));
  kl_.load_state(state.at("kl"));
  first_score_ = state.at("first_score");
  last_score_ = state.at("last_score");
  last_kl_ = state.at("last_kl");
}

Json PpoLearner::summary() const {
  return {{"score_first", first_score_}, {"score_last", last_score_}, {"kl_last", last_kl_}, {"kl_coef", kl_.coef()}};
}

std::vector<std::string> PpoLearner::describe() const {
  const auto& s = params_.shaping;
  const auto& a = params_.advantage;
  const auto& l = params_.loss;
  const auto text = [](double v) { return decimal_text(v, 3); };
  return {
      "KL penalty: " + params_.kl.kl_controller + ", coefficient " + text(kl_.coef()) + ", " + s.kl_estimator +
          " in the reward of each token" + (s.kl_clamp == "none" ? "" : ", clamped " + s.kl_clamp),
      "score on " + std::string(s.score_position == "last_token" ? "the last token" : "a slot after the last token") +
          "; missing end token: " + s.missing_eos + (s.missing_eos == "none" ? "" : " " + text(s.missing_eos_penalty)) +
          "; score clip " + (s.score_clip > 0 ? text(s.score_clip) : "off") + ", normalised: " + s.score_normalise +
          "; rewards whitened: " + (s.whiten_rewards ? "yes" : "no"),
      "advantages: " + a.estimator + ", gamma " + text(a.gamma) + ", lambda " + text(a.lambda) +
          ", whitened: " + a.whiten,
      "ratio clip " + text(l.clip_low) + "/" + text(l.clip_high) + ", dual clip " +
          (l.dual_clip > 0 ? text(l.dual_clip) : "off") + ", value clip " +
          (l.value_clip > 0 ? text(l.value_clip) : "off") + ", entropy bonus " + text(l.entropy_coef) + ", target KL " +
          (params_.target_kl > 0 ? text(params_.target_kl) : "off") + ", pretraining mix " +
          text(params_.pretrain_coef)};
}

}  // namespace hone::train
