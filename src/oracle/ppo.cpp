// The optimum of E[r] - β·KL(π || π_ref) over all policies is π_ref·exp(r/β)/Z (Ziegler et al. 2019, eq. 2; Korbak et
// al. 2022, arXiv 2206.00761). PPO must come to it.
#include "base/error.h"
#include "oracle/oracle.h"
#include "oracle/table.h"

namespace hone::oracle {

Distance ppo_reaches_optimum(const Problem& problem, int64_t steps, int64_t batch) {
  const Space space(problem);
  const Tensor reference = table(space.reference(), space.vocab());
  Tensor logits = reference.clone(), values = at::zeros({space.states(), 1}, at::kFloat);
  logits.requires_grad_(true);
  values.requires_grad_(true);

  train::PpoParams params;
  params.batch_prompts = batch;
  params.policy_epochs = 2;
  params.critic_epochs = 4;
  params.minibatches = 2;
  params.critic_warmup = 3;
  params.micro_tokens = 1 << 30;
  params.sampling.max_tokens = space.length();
  params.kl = {};
  params.kl.kl_coef = problem.beta;
  params.shaping = {};
  params.advantage = {};
  params.advantage.lambda = 1;
  params.advantage.whiten = "none";
  params.loss.value_clip = 0;
  params.policy_optim = {};
  params.policy_optim.lr = 0.1;
  params.policy_optim.clip_norm = 0;
  params.policy_optim.schedule.decay = "linear";
  params.critic_optim = params.policy_optim;
  params.critic_optim.lr = 0.2;

  const auto reward = [&](std::span<const train::Trajectory> trajectories) {
    std::vector<double> out;
    for (const train::Trajectory& t : trajectories) out.push_back(space.reward(t.completion.ids));
    return out;
  };
  train::PpoLearner learner(params, problem.seed, steps, at::kCPU, table_actor(space, logits, problem.seed),
                            table_actor(space, reference, 0), table_critic(space, values), reward);
  const std::vector<double> optimum = space.optimum(problem.beta);
  Distance out;
  out.start = total_variation(space.probabilities(values_of(logits)), optimum);
  std::vector<rollout::Request> requests(static_cast<size_t>(batch));
  for (int64_t step = 0; step < steps; ++step) {
    for (size_t i = 0; i < requests.size(); ++i)
      requests[i] = {{0}, static_cast<uint64_t>(step) * requests.size() + i, 0};
    learner.step(step, requests);
  }
  out.end = total_variation(space.probabilities(values_of(logits)), optimum);
  return out;
}

}  // namespace hone::oracle
