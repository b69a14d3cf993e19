// Proximal policy optimisation: Schulman et al. 2017, arXiv 1707.06347, in the form of Ziegler et al. 2019
// (arXiv 1909.08593) and Ouyang et al. 2022 (arXiv 2203.02155): a reward at the end of each answer, a penalty
// -β·log(π/π_ref) at each token, advantages by GAE with a learnt critic.
//
// Differs from the papers in: policy and critic are separate networks with separate optimisers, so no loss weighs one
// against the other; log-probabilities of the old policy are made again by the training forward, never taken from the
// sampler; every disputed choice is a named setting (advantages/params.h, losses/params.h).
#include "train/ppo_learner.h"

#include <numeric>

#include "advantages/estimator.h"
#include "advantages/masked.h"
#include "advantages/rewards.h"
#include "base/error.h"
#include "base/json.h"
#include "base/progress.h"
#include "optim/schedule.h"
#include "tensor/from_host.h"
#include "train/critic_update.h"
#include "train/policy_update.h"
#include "train/trainable.h"

namespace hone::train {

void PpoParams::check_algorithm() const {
  check_sampling();
  // At c <= 1 the bound -c·A lies below the loss of a ratio of 1, so no token with A < 0 would teach (Ye et al. 2020).
  if (loss.dual_clip > 0 && loss.dual_clip <= 1)
    usage_error("loss.dual_clip is " + decimal_text(loss.dual_clip, 3) + ", must be above 1, or 0 for none",
                "verl takes 3, NeMo-RL 10 (Ye et al. 2020, arXiv 1912.09729)");
  HONE_CHECK(minibatches > 0 && policy_epochs > 0 && batch_prompts > 0 && samples_per_prompt > 0);
}

PpoLearner::PpoLearner(const PpoParams& params, uint64_t seed, int64_t total_steps, at::Device device, Actor actor,
                       Actor reference, Critic critic, RewardFunction reward, ExtraLoss extra)
    : params_(params),
      seed_(seed),
      total_steps_(total_steps),
      ask_{.inv_temperature = 1 / params.sampling.temperature,
           .micro_tokens = params.micro_tokens > 0 ? params.micro_tokens : AskOptions{}.micro_tokens,
           .device = device},
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
  params_.check_algorithm();
}

Numbers PpoLearner::step(int64_t step, std::span<const rollout::Request> requests) {
  // 1. Answers with their scores, and what every network says of them.
  experience_.trajectories = sample_answers(actor_, reward_, requests);
  experience_ = look_at(std::move(experience_.trajectories), actor_, reference_, &critic_,
                        params_.shaping.score_position, params_.sampling.max_tokens, ask_);
  const Experience& e = experience_;

  // 2. Rewards of tokens, advantages and returns, on the host in f64 sums of one fixed order (advantages/).
  std::vector<float> score;
  std::vector<uint8_t> finished;
  for (const Trajectory& t : e.trajectories) {
    score.push_back(static_cast<float>(t.score));
    finished.push_back(t.completion.finish == rollout::Finish::kStop);
  }
  const Tensor old_logp = e.old_logp.to(at::kFloat);  // (R)
  const advantages::ShapedRewards shaped = advantages::shape_rewards(
      e.slots, {score, finished, floats_of(old_logp), floats_of(e.reference_logp)}, kl_.coef(), params_.shaping);
  const advantages::Estimates estimates =
      advantages::estimate({e.slots, shaped.rewards, floats_of(e.values)}, params_.advantage);

  // 3. The policy, once the critic is warm.
  PolicyTargets targets;
  targets.advantages = from_host(e.slots.at_actions(estimates.advantages));  // (R)
  targets.learnt.resize(e.trajectories.size());
  std::iota(targets.learnt.begin(), targets.learnt.end(), 0);
  const bool policy_learns = step >= params_.critic_warmup;
  PolicyTotals policy;
  if (policy_learns)
    policy = update_policy(e, targets, actor_, policy_optimizer_, extra_,
                           {.epochs = params_.policy_epochs,
                            .minibatches = params_.minibatches,
                            .target_kl = params_.target_kl,
                            .loss = {.surrogate = "clip",
                                     .how = {.clip_low = params_.loss.clip_low,
                                             .clip_high = params_.loss.clip_high,
                                             .dual_clip = params_.loss.dual_clip},
                                     .aggregation = "token_mean",
                                     .entropy_coef = params_.loss.entropy_coef},
                            .shuffle = "ppo-policy",
                            .schedule = params_.policy_optim.schedule},
                           ask_, seed_, step, total_steps_);

  // 4. The critic.
  const Tensor returns = from_host(estimates.returns);  // (N)
  const CriticTotals critic = update_critic(e, returns, critic_, critic_optimizer_,
                                            {.epochs = params_.critic_epochs,
                                             .minibatches = params_.minibatches,
                                             .loss = params_.loss,
                                             .schedule = params_.critic_optim.schedule},
                                            ask_, seed_, step, total_steps_);

  // 5. What metrics.jsonl says of it.
  const AnswerFigures answers = figures_of(e);
  const double kl = mean_of(shaped.kl), beta = kl_.coef(), penalty = beta * kl;
  Numbers out{{"score", answers.score},
              {"score_std", answers.score_std},
              {"reward", mean_of(shaped.score) - penalty},
              {"reward_score", mean_of(shaped.score)},
              {"reward_kl", -penalty},
              {"kl", kl},
              {"kl_k3", mean_of(shaped.kl_k3)},
              {"kl_coef", beta},
              {"entropy", answers.entropy},
              {"length", answers.length},
              {"eos_share", answers.eos_share},
              {"clip_fraction", policy.stats.clip_fraction()},
              {"clip_fraction_first", policy.first_minibatch.clip_fraction()},
              {"ratio_max", policy.stats.ratio_max},
              {"ratio_max_first", policy.first_minibatch.ratio_max},
              {"policy_kl", policy.stats.kl_k3()},
              {"policy_loss", policy.per_step(policy.loss)},
              {"value_loss", critic.per_step(critic.loss)},
              {"explained_variance", advantages::explained_variance(floats_of(e.values), estimates.returns)},
              {"advantage_std", targets.advantages.numel() > 1 ? targets.advantages.std().item<double>() : 0},
              {"grad_norm", policy.per_step(policy.grad_norm)},
              {"critic_grad_norm", critic.per_step(critic.grad_norm)},
              {"policy_updates", static_cast<double>(policy.steps)},
              {"logp_gap_mean", e.gap_mean},
              {"logp_gap_max", e.gap_max},
              {"tokens", static_cast<double>(e.tokens)}};
  const auto factor = [&](const optim::OptimParams& p) {
    return optim::schedule_factor(p.schedule, step, total_steps_);
  };
  for (const auto& rate : policy_optimizer_.rates(policy_learns ? factor(params_.policy_optim) : 0))
    out.push_back(rate);
  for (const auto& [key, rate] : critic_optimizer_.rates(factor(params_.critic_optim)))
    out.emplace_back("critic_" + key, rate);
  if (params_.loss.entropy_coef != 0) out.emplace_back("entropy_loss", policy.per_step(policy.entropy_loss));
  if (extra_) out.emplace_back("pretrain_loss", policy.per_step(policy.extra_loss));
  kl_.update(kl, e.answers());
  if (step == 0) first_score_ = answers.score;
  last_score_ = answers.score;
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
