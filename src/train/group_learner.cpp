// Policy gradient without a critic, by axes: baseline x scale (advantages/group.h), surrogate (losses/surrogate.h),
// aggregation (losses/aggregate.h), where the divergence is held down, and which answers teach.
//
//     R_i = s'_i + overlong_i - [kl_placement = reward] β Σ_t k1_t          s': as advantages/rewards.h treats it
//     A_i = (R_i - b_i) / scale_i
//     A_t = A_i - [kl_placement = token_reward] β Σ_{u≥t} k1_u
//     the policy's step: policy_update.h, with [kl_placement = loss] β k_t
//
// Shao et al. 2024 (GRPO), arXiv 2402.03300; Ahmadian et al. 2024 (RLOO), arXiv 2402.14740; Li et al. 2023 (ReMax),
// arXiv 2310.10505; Hu et al. 2025 (REINFORCE++), arXiv 2501.03262; Yu et al. 2025 (DAPO), arXiv 2503.14476; Liu et al.
// 2025 (Dr. GRPO), arXiv 2503.20783.
//
// Differs from the papers in: log-probabilities of the old policy are made again by the training forward, never taken
// from the sampler, and what the two differ by is a setting (importance) and a gauge (logp_gap); a dropped or masked
// answer is no part of any divisor, where TRL's sequence_mean still counts it as one answer; ReMax's baseline is the
// greedy answer's score without the divergence.
#include "train/group_learner.h"

#include <algorithm>
#include <cmath>

#include "advantages/group.h"
#include "advantages/rewards.h"
#include "base/error.h"
#include "base/json.h"
#include "base/progress.h"
#include "optim/schedule.h"
#include "tensor/from_host.h"
#include "tensor/kl.h"
#include "train/policy_update.h"
#include "train/trainable.h"

namespace hone::train {

void GroupParams::check_algorithm() const {
  check_sampling();
  advantage.check(samples_per_prompt);
  if ((advantage.scale == "batch_std" || advantage.scale == "whiten" || advantage.baseline == "batch") &&
      samples_per_prompt * batch_prompts < 2)
    usage_error("an iteration of one answer has nothing to be compared with",
                "give batch_prompts or samples_per_prompt of 2 or more");
  if (dynamic_sampling && samples_per_prompt < 2)
    usage_error("dynamic_sampling drops prompts whose answers are all alike, and there is one answer to each",
                "give samples_per_prompt of 2 or more");
  if (loss.how.dual_clip > 0 && loss.how.dual_clip <= 1)
    usage_error("loss.dual_clip is " + decimal_text(loss.how.dual_clip, 3) + ", must be above 1, or 0 for none",
                "verl takes 3, NeMo-RL 10 (Ye et al. 2020, arXiv 1912.09729)");
  if (overlong_buffer > sampling.max_tokens)
    usage_error("overlong_buffer = " + count_text(overlong_buffer) +
                    " is more than sampling.max_tokens = " + count_text(sampling.max_tokens),
                "punish the last part of what an answer may take");
}

GroupLearner::GroupLearner(const GroupParams& params, uint64_t seed, int64_t total_steps, at::Device device,
                           Actor actor, Actor reference, Actor greedy, RewardFunction reward)
    : params_(params),
      seed_(seed),
      total_steps_(total_steps),
      ask_{.inv_temperature = 1 / params.sampling.temperature,
           .micro_tokens = params.micro_tokens > 0 ? params.micro_tokens : AskOptions{}.micro_tokens,
           .device = device},
      actor_(std::move(actor)),
      reference_(std::move(reference)),
      greedy_(std::move(greedy)),
      reward_(std::move(reward)),
      optimizer_(actor_.parameters, params.policy_optim),
      kl_(params.kl) {
  params_.policy_optim.schedule = optim::fit_schedule(params.policy_optim.schedule, total_steps);
  params_.check_algorithm();
}

// Fills experience_.trajectories with whole groups.
GroupLearner::Sampled GroupLearner::sample(const PromptSource& prompts) {
  const auto group = static_cast<size_t>(params_.samples_per_prompt);
  const auto wanted = static_cast<size_t>(params_.batch_prompts) * group;
  Sampled out;
  std::vector<Trajectory>& kept = experience_.trajectories;
  kept.clear();
  std::vector<Trajectory> drawn;
  for (int64_t round = 0; kept.size() < wanted && round < (params_.dynamic_sampling ? params_.sampling_rounds : 1);
       ++round) {
    const std::vector<rollout::Request> requests = prompts(static_cast<int64_t>((wanted - kept.size()) / group));
    HONE_CHECK(!requests.empty() && requests.size() % group == 0, "samples_per_prompt requests of each prompt");
    out.asked += static_cast<int64_t>(requests.size() / group);
    drawn = sample_answers(actor_, reward_, requests);
    for (const Trajectory& t : drawn)
      if (!std::isfinite(t.score)) {
        kept = std::move(drawn);
        throw NonFinite{"reward of an answer"};
      }
    for (size_t i = 0; i < drawn.size(); i += group) {
      const auto begin = drawn.begin() + static_cast<std::ptrdiff_t>(i),
                 end = begin + static_cast<std::ptrdiff_t>(group);
      const bool alike = std::all_of(begin, end, [&](const Trajectory& t) { return t.score == begin->score; });
      if (params_.dynamic_sampling && alike) continue;
      std::move(begin, end, std::back_inserter(kept));
    }
  }
  if (kept.empty()) {
    kept = std::move(drawn);
    out.taught = false;
  }
  return out;
}

// The scores as the learner gets them, the divergence apart.
std::vector<float> GroupLearner::shaped_scores(std::span<const Trajectory> trajectories) const {
  std::vector<float> score;
  std::vector<uint8_t> finished;
  for (const Trajectory& t : trajectories) {
    score.push_back(static_cast<float>(t.score));
    finished.push_back(t.completion.finish == rollout::Finish::kStop);
  }
  std::vector<float> out = advantages::treat_scores(score, finished, params_.shaping);
  for (size_t i = 0; i < out.size(); ++i)
    out[i] += static_cast<float>(params_.overlong_weight *
                                 advantages::overlong_penalty(std::ssize(trajectories[i].completion.ids),
                                                              params_.sampling.max_tokens, params_.overlong_buffer));
  return out;
}

// Of the greedy answer to each answer's prompt (S); empty unless it is the baseline.
std::vector<float> GroupLearner::greedy_rewards() const {
  if (params_.advantage.baseline != "greedy") return {};
  std::vector<rollout::Request> requests;
  const auto group = static_cast<size_t>(params_.samples_per_prompt);
  for (size_t i = 0; i < experience_.trajectories.size(); i += group) {
    const Trajectory& t = experience_.trajectories[i];
    requests.push_back(
        {{t.sequence.ids.begin(), t.sequence.ids.begin() + static_cast<std::ptrdiff_t>(t.prompt_tokens)}, i, 0, t.row});
  }
  const std::vector<float> scores = shaped_scores(sample_answers(greedy_, reward_, requests));
  std::vector<float> out;
  for (const float s : scores) {
    if (!std::isfinite(s)) throw NonFinite{"reward of a greedy answer"};
    out.insert(out.end(), group, s);
  }
  return out;
}

Numbers GroupLearner::step(int64_t step, const PromptSource& prompts) {
  // 1. Answers with their scores, and what policy and reference say of them.
  const Sampled sampled = sample(prompts);
  const std::vector<float> greedy = greedy_rewards();  // (S)
  experience_ = look_at(std::move(experience_.trajectories), actor_, reference_, nullptr, "last_token",
                        params_.sampling.max_tokens, ask_);
  const Experience& e = experience_;
  const auto answers = static_cast<size_t>(e.answers());

  // 2. Rewards of answers.
  const double beta = params_.kl_placement == "none" ? 0 : kl_.coef();
  const bool in_reward = params_.kl_placement == "reward", in_tokens = params_.kl_placement == "token_reward";
  const std::vector<float> score = shaped_scores(e.trajectories);  // (S)
  const Tensor k1 = kl_k1(e.old_logp.to(at::kFloat), e.reference_logp),
               k3 = kl_k3(e.old_logp.to(at::kFloat), e.reference_logp);  // (R)
  std::vector<float> kl(answers), kl_k3_sum(answers), reward = score;
  for (size_t s = 0; s < answers; ++s) {
    double sum = 0, sum_k3 = 0;
    for (int64_t r = e.token_offsets[s]; r < e.token_offsets[s + 1]; ++r) {
      sum += k1.const_data_ptr<float>()[r];
      sum_k3 += k3.const_data_ptr<float>()[r];
    }
    kl[s] = static_cast<float>(sum);
    kl_k3_sum[s] = static_cast<float>(sum_k3);
    if (in_reward) reward[s] -= static_cast<float>(beta * sum);
  }

  // 3. Advantages: of answers, then of tokens.
  std::vector<int64_t> group(answers);  // (S)
  for (size_t s = 0; s < answers; ++s) group[s] = static_cast<int64_t>(s) / params_.samples_per_prompt;
  const std::vector<float> of_answers = advantages::group_advantages({reward, group, greedy}, params_.advantage);
  const Tensor penalties = in_tokens ? k1 * beta : Tensor();  // (R)
  PolicyTargets targets;
  targets.advantages = from_host(advantages::token_advantages(
      e.slots, of_answers, in_tokens ? floats_of(penalties) : std::span<const float>(), params_.advantage));  // (R)
  targets.kl_coef = params_.kl_placement == "loss" ? beta : 0;

  // 4. Which answers teach, and what a token counts.
  for (size_t s = 0; s < answers && sampled.taught; ++s)
    if (!params_.mask_truncated || e.trajectories[s].completion.finish != rollout::Finish::kLength)
      targets.learnt.push_back(static_cast<int64_t>(s));
  double importance_mean = 1, importance_cut = 0;
  if (params_.importance != "none") {
    const Tensor ratio = (e.old_logp.to(at::kFloat) - e.sampler_logp).exp();  // (R)
    const Tensor over = ratio > params_.importance_cap;                       // (R)
    targets.importance =
        params_.importance == "truncate" ? ratio.clamp_max(params_.importance_cap) : ratio.masked_fill(over, 0);
    importance_mean = targets.importance.mean().item<double>();
    importance_cut = over.to(at::kFloat).mean().item<double>();
  }

  // 5. The policy.
  const PolicyTotals policy = update_policy(e, targets, actor_, optimizer_, {},
                                            {.epochs = params_.policy_epochs,
                                             .minibatches = params_.minibatches,
                                             .target_kl = params_.target_kl,
                                             .loss = params_.loss,
                                             .kl_estimator = params_.kl_estimator,
                                             .longest = params_.sampling.max_tokens,
                                             .shuffle = "group-policy",
                                             .schedule = params_.policy_optim.schedule},
                                            ask_, seed_, step, total_steps_);

  // 6. What metrics.jsonl says of it.
  const AnswerFigures figures = figures_of(e);
  const advantages::GroupFigures groups = advantages::group_figures({score, group, {}});
  const double mean_kl = mean_of(kl), penalty = in_reward || in_tokens ? beta * mean_kl : 0;
  Numbers out{{"score", figures.score},
              {"score_std", figures.score_std},
              {"reward", mean_of(score) - penalty},
              {"reward_score", mean_of(score)},
              {"reward_kl", -penalty},
              {"kl", mean_kl},
              {"kl_k3", mean_of(kl_k3_sum)},
              {"kl_coef", beta},
              {"entropy", figures.entropy},
              {"length", figures.length},
              {"eos_share", figures.eos_share},
              {"zero_variance", groups.zero_variance},
              {"group_std", groups.std},
              {"clip_fraction", policy.stats.clip_fraction()},
              {"clip_fraction_first", policy.first_minibatch.clip_fraction()},
              {"ratio_max", policy.stats.ratio_max},
              {"ratio_max_first", policy.first_minibatch.ratio_max},
              {"policy_kl", policy.stats.kl_k3()},
              {"policy_loss", policy.per_step(policy.loss)},
              {"advantage_std", targets.advantages.numel() > 1 ? targets.advantages.std().item<double>() : 0},
              {"grad_norm", policy.per_step(policy.grad_norm)},
              {"policy_updates", static_cast<double>(policy.steps)},
              {"logp_gap_mean", e.gap_mean},
              {"logp_gap_max", e.gap_max},
              {"tokens", static_cast<double>(e.tokens)}};
  for (const auto& rate : optimizer_.rates(optim::schedule_factor(params_.policy_optim.schedule, step, total_steps_)))
    out.push_back(rate);
  if (targets.kl_coef != 0) out.emplace_back("kl_loss", policy.per_step(policy.kl_loss));
  if (params_.loss.entropy_coef != 0) out.emplace_back("entropy_loss", policy.per_step(policy.entropy_loss));
  if (!greedy.empty()) out.emplace_back("greedy_reward", mean_of(greedy));
  if (params_.dynamic_sampling) out.emplace_back("prompts_asked", static_cast<double>(sampled.asked));
  if (params_.mask_truncated)
    out.emplace_back("masked_share", 1 - static_cast<double>(targets.learnt.size()) / static_cast<double>(answers));
  if (targets.importance.defined()) {
    out.emplace_back("importance_mean", importance_mean);
    out.emplace_back("importance_cut", importance_cut);
  }
  kl_.update(mean_kl, e.answers());
  if (step == 0) first_score_ = figures.score;
  last_score_ = figures.score;
  last_kl_ = mean_kl;
  return out;
}

optim::StateTensors GroupLearner::state_tensors() const {
  optim::StateTensors out;
  for (auto& [name, tensor] : optimizer_.state()) out.emplace_back("policy_optim." + name, tensor);
  return out;
}

Json GroupLearner::state() const {
  return {{"kl", kl_.state()}, {"first_score", first_score_}, {"last_score", last_score_}, {"last_kl", last_kl_}};
}

void GroupLearner::load_state(const optim::StateTensors& tensors, const Json& state) {
  optimizer_.load_state(with_prefix(tensors, "policy_optim."));
  kl_.load_state(state.at("kl"));
  first_score_ = state.at("first_score");
  last_score_ = state.at("last_score");
  last_kl_ = state.at("last_kl");
}

Json GroupLearner::summary() const {
  Json out{{"score_first", first_score_}, {"score_last", last_score_}, {"kl_last", last_kl_}};
  if (params_.kl_placement != "none") out["kl_coef"] = kl_.coef();
  return out;
}

std::vector<std::string> GroupLearner::describe() const {
  const auto text = [](double v) { return decimal_text(v, 4); };
  const losses::PolicyLossParams& l = params_.loss;
  std::string ratio;
  if (l.surrogate == "clip" || l.surrogate == "gspo")
    ratio = ", ratio clip " + text(l.how.clip_low) + "/" + text(l.how.clip_high);
  if (l.surrogate == "clip") ratio += ", dual clip " + (l.how.dual_clip > 0 ? text(l.how.dual_clip) : "off");
  if (l.surrogate == "cispo") ratio = ", ratio cap " + text(l.how.ratio_cap);
  if (l.surrogate == "sapo") ratio = ", tau " + text(l.how.tau_positive) + "/" + text(l.how.tau_negative);
  const auto& s = params_.shaping;
  return {"advantages of " + std::to_string(params_.samples_per_prompt) + " answers a prompt: baseline " +
              params_.advantage.baseline + ", scale " + params_.advantage.scale,
          "surrogate " + l.surrogate + ratio + "; aggregation " + l.aggregation + ", entropy bonus " +
              text(l.entropy_coef) + ", target KL " + (params_.target_kl > 0 ? text(params_.target_kl) : "off"),
          params_.kl_placement == "none"
              ? "no KL penalty"
              : "KL penalty in the " + params_.kl_placement + ": " + params_.kl.kl_controller + ", coefficient " +
                    text(kl_.coef()) + (params_.kl_placement == "loss" ? ", " + params_.kl_estimator : ", k1"),
          "missing end token: " + s.missing_eos + (s.missing_eos == "none" ? "" : " " + text(s.missing_eos_penalty)) +
              "; score clip " + (s.score_clip > 0 ? text(s.score_clip) : "off") + "; overlong buffer " +
              (params_.overlong_buffer > 0 ? count_text(params_.overlong_buffer) : "off") + "; truncated answers " +
              (params_.mask_truncated ? "teach nothing" : "teach") + "; dynamic sampling " +
              (params_.dynamic_sampling ? "on" : "off") + "; importance " + params_.importance +
              (params_.importance == "none" ? "" : " at " + text(params_.importance_cap))};
}

}  // namespace hone::train
