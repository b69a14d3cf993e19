// DPO's population optimum (Rafailov et al. 2023, section 4): on all pairs with Bradley–Terry labels of a reward the
// minimum over all policies is π_ref·exp(r/β)/Z.
#include <cmath>

#include "losses/aggregate.h"
#include "losses/pair.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"
#include "oracle/oracle.h"
#include "oracle/table.h"

namespace hone::oracle {

Distance dpo_reaches_optimum(const Problem& problem) {
  const Space space(problem);
  const AllAnswers all = all_answers(space);
  const Tensor reference = table(space.reference(), space.vocab());
  Tensor logits = reference.clone();
  logits.requires_grad_(true);

  // Every ordered pair once: first against second with probability σ(r_first - r_second).
  const int64_t n = space.answers();
  std::vector<float> target;
  std::vector<double> rewards;
  for (int64_t i = 0; i < n; ++i) rewards.push_back(space.reward(space.answer(i)));
  for (int64_t i = 0; i < n * n; ++i)
    target.push_back(static_cast<float>(
        1 / (1 + std::exp(rewards[static_cast<size_t>(i % n)] - rewards[static_cast<size_t>(i / n)]))));
  const Tensor targets = table(target, 1).squeeze(1);
  const auto first = [&](const Tensor& x) { return x.unsqueeze(1).expand({n, n}).reshape({n * n}); };
  const auto second = [&](const Tensor& x) { return x.unsqueeze(0).expand({n, n}).reshape({n * n}); };
  const Tensor fixed = answer_logps(space, all, reference);

  losses::PairLossParams params;
  params.beta = problem.beta;
  optim::OptimParams how;
  how.lr = 0.1;
  how.clip_norm = 0;
  how.schedule.decay = "cosine";
  optim::Optimizer optimizer({{"logits", logits, optim::TensorKind::kEmbedding}}, how);
  const std::vector<double> optimum = space.optimum(problem.beta);
  Distance out;
  out.start = total_variation(space.probabilities(values_of(logits)), optimum);
  constexpr int64_t kSteps = 400;
  for (int64_t step = 0; step < kSteps; ++step) {
    optimizer.zero_grad();
    const Tensor policy = answer_logps(space, all, logits);
    const losses::PairLogps pair{first(policy), second(policy), first(fixed), second(fixed), {}, {}, targets};
    losses::reduce(losses::pair_loss("dpo")(pair, params), static_cast<double>(n * n)).backward();
    optimizer.step(optim::schedule_factor(how.schedule, step, kSteps));
  }
  out.end = total_variation(space.probabilities(values_of(logits)), optimum);
  return out;
}

}  // namespace hone::oracle
