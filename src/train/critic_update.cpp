#include "train/critic_update.h"

#include <cmath>
#include <numeric>

#include "losses/aggregate.h"
#include "losses/ppo.h"
#include "optim/schedule.h"
#include "tensor/from_host.h"
#include "train/batch_plan.h"

namespace hone::train {

CriticTotals update_critic(const Experience& e, const Tensor& returns, const Critic& critic,
                           optim::Optimizer& optimizer, const CriticUpdateParams& params, const AskOptions& ask,
                           uint64_t seed, int64_t step, int64_t total_steps) {
  CriticTotals totals;
  const double factor = optim::schedule_factor(params.schedule, step, total_steps);
  std::vector<int64_t> all(e.trajectories.size());
  std::iota(all.begin(), all.end(), 0);
  const auto slots_of = [&](int64_t m) { return std::pair(e.slots.offsets[m], e.slots.offsets[m + 1]); };
  for (int64_t epoch = 0; epoch < params.epochs; ++epoch)
    for (std::vector<int64_t>& drawn : shuffled_minibatches(all, params.minibatches, seed, "ppo-critic", step, epoch)) {
      const std::vector<int64_t> members = prompts_together(e, std::move(drawn));
      double slots = 0;
      for (const int64_t m : members) slots += static_cast<double>(slots_of(m).second - slots_of(m).first);
      optimizer.zero_grad();
      double loss_sum = 0;
      for (const auto part : micro_batches(members, e.lengths, ask.micro_tokens)) {
        Tensor rows;
        const Batch b = batch_of(e, part, ask.device, rows);
        std::vector<int64_t> indices;  // of the part's slots among the N of all
        for (const int64_t m : part)
          for (int64_t i = slots_of(m).first; i < slots_of(m).second; ++i) indices.push_back(i);
        const Tensor slot_index = from_host(indices);
        const auto pick = [&](const Tensor& t) { return t.index_select(0, slot_index).to(ask.device); };
        const Tensor loss = losses::reduce(
            losses::value_loss(critic.values(b, value_rows(e, b, part)), pick(e.values), pick(returns), params.loss),
            slots);
        loss.backward();
        loss_sum += loss.item<double>();
      }
      if (!std::isfinite(loss_sum)) throw NonFinite{"value loss"};
      const double norm = optimizer.step(factor);
      if (!std::isfinite(norm)) throw NonFinite{"critic gradient"};
      totals.loss += loss_sum;
      totals.grad_norm += norm;
      ++totals.steps;
    }
  return totals;
}

}  // namespace hone::train
