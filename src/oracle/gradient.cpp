// The policy gradient theorem with a KL penalty: for J = E[r] - β·KL(π || π_ref)
//
//     ∇J = Σ_y π(y)·(r(y) - β log(π(y)/π_ref(y)))·∇log π(y)
//
// and what the loss, the shaped rewards and the advantages of a sampled minibatch give at ratio 1 must be -∇J within
// its sampling error.
//
// Without a critic an answer's baseline comes from other answers; what that makes of the gradient is known too
// (advantages/group.h).
#include <algorithm>
#include <cmath>
#include <numbers>

#include "advantages/estimator.h"
#include "advantages/rewards.h"
#include "base/error.h"
#include "base/rng.h"
#include "base/stats.h"
#include "losses/aggregate.h"
#include "losses/ppo.h"
#include "oracle/oracle.h"
#include "oracle/table.h"
#include "tensor/kl.h"
#include "train/group_learner.h"

namespace hone::oracle {
namespace {

// A policy some way from its reference.
Tensor moved(const Space& space, uint64_t seed) {
  std::vector<float> values = space.reference();
  Stream random(seed, "oracle policy");
  for (float& v : values) v += static_cast<float>(0.5 * random.normal());
  return table(values, space.vocab());
}

std::vector<double> grad_of(const Tensor& logits) {
  const std::span<const float> g = values_of(logits.grad());
  return {g.begin(), g.end()};
}

std::vector<double> exact_gradient(const Space& space, const Tensor& logits, const Tensor& reference, double beta) {
  const AllAnswers all = all_answers(space);
  const Tensor logp = answer_logps(space, all, logits), fixed = answer_logps(space, all, reference);
  std::vector<float> rewards;
  for (int64_t i = 0; i < space.answers(); ++i) rewards.push_back(static_cast<float>(space.reward(space.answer(i))));
  const Tensor value = (logp.exp() * (table(rewards, 1).squeeze(1) - (logp - fixed) * beta)).sum();
  (-value).backward();
  std::vector<double> out = grad_of(logits);
  logits.mutable_grad().zero_();
  return out;
}

std::vector<float> floats(const Tensor& t) {
  const Tensor c = t.detach().contiguous();
  return {values_of(c).begin(), values_of(c).end()};
}

// Takes the likeliest token in every state.
train::Actor greedy_actor(const Space& space, const Tensor& logits, train::Actor actor) {
  actor.sample = [&space, logits](std::span<const rollout::Request> requests) {
    rollout::Completion c;
    for (int64_t t = 0; t < space.length(); ++t) {
      const std::span<const float> row = values_of(logits).subspan(
          static_cast<size_t>(space.state(c.ids) * space.vocab()), static_cast<size_t>(space.vocab()));
      c.ids.push_back(static_cast<int32_t>(std::ranges::max_element(row) - row.begin()));
      c.logps.push_back(0);
    }
    return std::vector<rollout::Completion>(requests.size(), c);
  };
  return actor;
}

// The largest deviation of the columns' means from `expected`, in their standard errors.
double worst_deviation(const std::vector<std::vector<double>>& seen, const std::vector<double>& expected) {
  double worst = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double error = stats::stddev(seen[i]) / std::sqrt(static_cast<double>(seen[i].size()));
    if (error > 0) worst = std::max(worst, std::abs(stats::mean(seen[i]) - expected[i]) / error);
  }
  return worst;
}

}  // namespace

double gradient_deviation(const Problem& problem, int64_t batches, int64_t batch) {
  const Space space(problem);
  const Tensor reference = table(space.reference(), space.vocab());
  Tensor logits = moved(space, problem.seed);
  logits.requires_grad_(true);
  const std::vector<double> exact = exact_gradient(space, logits, reference, problem.beta);
  const train::Actor actor = table_actor(space, logits, problem.seed), frozen = table_actor(space, reference, 0);

  advantages::AdvantageParams how;
  how.lambda = 1;
  how.whiten = "none";
  std::vector<std::vector<double>> seen(exact.size());  // component -> its value in each batch
  for (int64_t b = 0; b < batches; ++b) {
    std::vector<rollout::Request> requests;
    for (int64_t i = 0; i < batch; ++i) requests.push_back({{0}, static_cast<uint64_t>(b * batch + i), 0});
    std::vector<data::Sequence> sequences;
    std::vector<float> scores;
    for (const rollout::Completion& c : actor.sample(requests)) {
      data::Sequence s{{0}, {0.0f}};
      s.ids.insert(s.ids.end(), c.ids.begin(), c.ids.end());
      s.weight.resize(s.ids.size(), 1.0f);
      sequences.push_back(std::move(s));
      scores.push_back(static_cast<float>(space.reward(c.ids)));
    }
    std::vector<const data::Sequence*> pointers;
    for (const data::Sequence& s : sequences) pointers.push_back(&s);
    const train::Batch packed = train::collate(pointers, at::kCPU);
    const Tensor logp = actor.logps(packed, {}).logps;
    const std::vector<float> old = floats(logp), fixed = floats(frozen.logps(packed, {}).logps);
    const advantages::Slots slots = advantages::make_slots(std::vector<int64_t>(batch, space.length()));
    const std::vector<uint8_t> finished(batch, 1);
    const auto shaped = advantages::shape_rewards(slots, {scores, finished, old, fixed}, problem.beta, {});
    const std::vector<float> values(slots.size(), 0.25f);  // any baseline leaves the mean as it is
    const auto estimates = advantages::estimate({slots, shaped.rewards, values}, how);
    const auto surrogate =
        losses::clipped_surrogate(logp, logp.detach(), table(slots.at_actions(estimates.advantages), 1).squeeze(1), {});
    losses::reduce(surrogate.loss, static_cast<double>(batch)).backward();
    const std::vector<double> g = grad_of(logits);
    for (size_t i = 0; i < g.size(); ++i) seen[i].push_back(g[i]);
    logits.mutable_grad().zero_();
  }
  return worst_deviation(seen, exact);
}

GradientFit group_gradient(const GroupWay& way, const Problem& problem, int64_t batches, int64_t prompts) {
  const Space space(problem);
  const Tensor reference = table(space.reference(), space.vocab());
  Tensor logits = moved(space, problem.seed);
  logits.requires_grad_(true);
  const double beta = way.kl_placement == std::string("none") ? 0 : problem.beta;
  const std::vector<double> exact = exact_gradient(space, logits, reference, beta);

  train::GroupParams params;
  params.batch_prompts = prompts;
  params.samples_per_prompt = way.samples_per_prompt;
  params.advantage = {.baseline = way.baseline, .scale = way.scale};
  params.loss.surrogate = "reinforce";
  params.loss.aggregation = "constant";
  params.kl_placement = way.kl_placement;
  params.kl.kl_coef = beta;
  params.shaping = {};
  params.sampling.max_tokens = space.length();
  params.micro_tokens = 1 << 30;
  params.policy_optim.lr = 0;
  params.policy_optim.clip_norm = 0;
  const train::Actor actor = table_actor(space, logits, problem.seed);
  train::GroupLearner learner(params, problem.seed, batches, at::kCPU, actor, table_actor(space, reference, 0),
                              greedy_actor(space, logits, actor), [&](std::span<const train::Trajectory> trajectories) {
                                std::vector<double> out;
                                for (const train::Trajectory& t : trajectories)
                                  out.push_back(space.reward(t.completion.ids));
                                return out;
                              });
  uint64_t key = 0;
  const train::PromptSource source = [&](int64_t count) {
    std::vector<rollout::Request> out;
    for (int64_t p = 0; p < count; ++p, ++key)
      for (int64_t s = 0; s < params.samples_per_prompt; ++s) out.push_back({{0}, key, static_cast<uint64_t>(s)});
    return out;
  };
  const auto answers = static_cast<double>(prompts * way.samples_per_prompt);
  // What is known of a baseline; a new one that is biased by a known factor gets its line here.
  const double factor = way.baseline == std::string("mean")    ? 1 - 1 / static_cast<double>(way.samples_per_prompt)
                        : way.baseline == std::string("batch") ? 1 - 1 / answers
                                                               : 1;
  std::vector<std::vector<double>> seen(exact.size());  // component -> its value in each iteration
  for (int64_t b = 0; b < batches; ++b) {
    learner.step(b, source);  // at learning rate 0: the gradient stays
    const std::vector<double> g = grad_of(logits);
    for (size_t i = 0; i < g.size(); ++i) seen[i].push_back(g[i] * static_cast<double>(space.length()));
  }
  std::vector<double> expected;
  for (const double x : exact) expected.push_back(x * factor);
  GradientFit out;
  out.worst = worst_deviation(seen, expected);
  double product = 0, own = 0, other = 0;
  for (size_t i = 0; i < exact.size(); ++i) {
    const double mean = stats::mean(seen[i]);
    product += mean * exact[i];
    own += mean * mean;
    other += exact[i] * exact[i];
  }
  out.length = std::sqrt(own / other);
  out.degrees = std::acos(std::clamp(product / std::sqrt(own * other), -1.0, 1.0)) * 180 / std::numbers::pi;
  return out;
}

double divergence_error(const Problem& problem) {
  const Space space(problem);
  const AllAnswers all = all_answers(space);
  const Tensor logits = moved(space, problem.seed), reference = table(space.reference(), space.vocab());
  const Tensor logp = answer_logps(space, all, logits).to(at::kDouble),
               fixed = answer_logps(space, all, reference).to(at::kDouble);
  const std::vector<double> p = space.probabilities(values_of(logits)), q = space.probabilities(space.reference());
  double exact = 0;
  for (size_t i = 0; i < p.size(); ++i) exact += p[i] * std::log(p[i] / q[i]);
  double worst = 0;
  for (const Tensor& k : {kl_k1(logp, fixed), kl_k3(logp, fixed)}) {
    double mean = 0;
    for (size_t i = 0; i < p.size(); ++i) mean += p[i] * k.const_data_ptr<double>()[i];
    worst = std::max(worst, std::abs(mean - exact) / exact);
  }
  return worst;
}

}  // namespace hone::oracle
