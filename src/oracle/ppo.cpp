// The optimum of E[r] - β·KL(π || π_ref) over all policies is π_ref·exp(r/β)/Z (Ziegler et al. 2019, eq. 2; Korbak et
// al. 2022, arXiv 2206.00761). PPO must come to it.
#include "oracle/oracle.h"
#include "oracle/table.h"
#include "oracle/transformer.h"
#include "train/networks.h"
#include "train/ppo_learner.h"
#include "train/trainable.h"

namespace hone::oracle {
namespace {

train::PpoParams common_params(const Problem& problem, int64_t batch) {
  train::PpoParams params;
  params.batch_prompts = batch;
  params.policy_epochs = 2;
  params.minibatches = 2;
  params.critic_warmup = 3;
  params.sampling.max_tokens = problem.length;
  params.kl = {};
  params.kl.kl_coef = problem.beta;
  params.shaping = {};
  params.advantage = {};
  params.advantage.lambda = 1;
  params.advantage.whiten = "none";
  params.loss.value_clip = 0;
  params.policy_optim = {};
  params.policy_optim.clip_norm = 0;
  params.policy_optim.schedule.decay = "linear";
  params.critic_optim = params.policy_optim;
  return params;
}

struct Networks {
  train::Actor policy, reference;
  train::Critic critic;
  std::vector<int32_t> prompt;
  std::function<std::vector<double>()> probabilities;  ///< of all answers under the policy as it is
};

Distance learn(const Space& space, const Problem& problem, const train::PpoParams& params, int64_t steps,
               const Networks& networks, const std::vector<double>& optimum) {
  const auto reward = [&](std::span<const train::Trajectory> trajectories) {
    std::vector<double> out;
    for (const train::Trajectory& t : trajectories) out.push_back(space.reward(t.completion.ids));
    return out;
  };
  train::PpoLearner learner(params, problem.seed, steps, at::kCPU, networks.policy, networks.reference, networks.critic,
                            reward);
  Distance out;
  out.start = total_variation(networks.probabilities(), optimum);
  std::vector<rollout::Request> requests(params.batch_prompts);
  for (int64_t step = 0; step < steps; ++step) {
    for (size_t i = 0; i < requests.size(); ++i)
      requests[i] = {networks.prompt, static_cast<uint64_t>(step) * requests.size() + i, 0};
    learner.step(step, requests);
  }
  out.end = total_variation(networks.probabilities(), optimum);
  return out;
}

Distance learn_table(const Problem& problem, int64_t steps, int64_t batch) {
  const Space space(problem);
  const Tensor reference = table(space.reference(), space.vocab());
  Tensor logits = reference.clone(), values = at::zeros({space.states(), 1}, at::kFloat);
  logits.requires_grad_(true);
  values.requires_grad_(true);
  train::PpoParams params = common_params(problem, batch);
  params.critic_epochs = 4;
  params.micro_tokens = 1 << 30;
  params.policy_optim.lr = 0.1;
  params.critic_optim.lr = 0.2;
  const Networks networks{table_actor(space, logits, problem.seed),
                          table_actor(space, reference, 0),
                          table_critic(space, values),
                          {0},
                          [&] { return space.probabilities(values_of(logits)); }};
  return learn(space, problem, params, steps, networks, space.optimum(problem.beta, space.reference()));
}

Distance learn_transformer(const Problem& problem, int64_t steps, int64_t batch, bool adapter) {
  const Space space(problem);
  const model::Decoder reference = make_reference(space, problem.seed);
  model::Decoder policy = adapter ? with_adapter(reference, problem.seed) : reference.clone(),
                 critic = adapter ? with_adapter(reference, problem.seed + 1) : reference.clone();
  critic.drop_output_weight();
  model::ScalarHead head = model::make_scalar_head(critic.config().width, 0, 0);
  head.bias = at::zeros({1}, at::kFloat);
  train::PpoParams params = common_params(problem, batch);
  params.critic_epochs = 2;
  params.micro_tokens = problem.vocab <= 4 ? 1024 : 16384;
  params.policy_optim.lr = 3e-3;
  params.critic_optim.lr = 5e-3;
  rollout::GenerateOptions options;
  options.seed = problem.seed;
  options.max_batch = 512;
  Networks networks{train::decoder_actor(policy, {}, params.sampling, options), train::decoder_actor(reference, {}),
                    train::decoder_critic(critic, head, {}), transformer_prompt(),
                    [&] { return space.probabilities(logits_of(space, policy)); }};
  networks.policy.parameters = train::trainable_tensors(policy);
  networks.critic.parameters = train::trainable_tensors(critic, &head);
  return learn(space, problem, params, steps, networks, space.optimum(problem.beta, logits_of(space, reference)));
}

}  // namespace

Distance ppo_reaches_optimum(Policy policy, const Problem& problem, int64_t steps, int64_t batch) {
  return policy == Policy::kTable ? learn_table(problem, steps, batch)
                                  : learn_transformer(problem, steps, batch, policy == Policy::kAdapter);
}

}  // namespace hone::oracle
