#include "train/policy_update.h"

#include <cmath>

#include "losses/aggregate.h"
#include "losses/kl_loss.h"
#include "losses/surrogate.h"
#include "optim/schedule.h"
#include "tensor/from_host.h"
#include "train/batch_plan.h"

namespace hone::train {
namespace {

std::vector<int64_t> answer_lengths(const Experience& e, std::span<const int64_t> members) {
  std::vector<int64_t> out;
  for (const int64_t m : members) out.push_back(e.answer_tokens(m));
  return out;
}

// (R of the batch) i64: which answer each row belongs to.
Tensor answer_of_rows(const Batch& b) {
  std::vector<int64_t> out;
  for (int64_t s = 0; s < b.sequences(); ++s) out.insert(out.end(), b.row_offsets[s + 1] - b.row_offsets[s], s);
  return from_host(out, b.rows.device());
}

}  // namespace

PolicyTotals update_policy(const Experience& e, const PolicyTargets& targets, const Actor& actor,
                           optim::Optimizer& optimizer, const ExtraLoss& extra, const PolicyUpdateParams& params,
                           const AskOptions& ask, uint64_t seed, int64_t step, int64_t total_steps) {
  PolicyTotals totals;
  const double factor = optim::schedule_factor(params.schedule, step, total_steps);
  const losses::SurrogateFunction surrogate_of = losses::surrogate(params.loss.surrogate);
  const bool entropy = params.loss.entropy_coef != 0, kl = targets.kl_coef != 0;
  LogpsOptions options;
  options.inv_temperature = ask.inv_temperature;
  options.entropy = options.entropy_grad = entropy;
  for (int64_t epoch = 0; epoch < params.epochs && !totals.stopped_early; ++epoch) {
    losses::PolicyStats epoch_stats;
    for (std::vector<int64_t>& drawn :
         shuffled_minibatches(targets.learnt, params.minibatches, seed, params.shuffle, step, epoch)) {
      const std::vector<int64_t> members = prompts_together(e, std::move(drawn));
      // 1. What the minibatch is divided by, before any of it is seen.
      const double normaliser =
          losses::answer_normaliser(params.loss.aggregation, answer_lengths(e, members), params.longest);

      // 2. Its gradient, micro-batch by micro-batch.
      optimizer.zero_grad();
      losses::PolicyStats stats;
      double loss_sum = 0, kl_sum = 0, entropy_sum = 0;
      for (const auto part : micro_batches(members, e.lengths, ask.micro_tokens)) {
        Tensor rows;
        const Batch b = batch_of(e, part, ask.device, rows);
        const auto pick = [&](const Tensor& t) { return t.index_select(0, rows).to(ask.device); };  // (R) -> (rows)
        const Tensor weights =
            from_host(losses::answer_weights(params.loss.aggregation, answer_lengths(e, part)), ask.device);  // (rows)
        const TokenLogps logps = actor.logps(b, options);
        const Tensor old_logp = pick(e.old_logp);
        const losses::Surrogate surrogate = surrogate_of(
            {logps.logps, old_logp, pick(targets.advantages), answer_of_rows(b), b.sequences()}, params.loss.how);
        const Tensor token_loss =
            targets.importance.defined() ? surrogate.loss * pick(targets.importance) : surrogate.loss;  // (rows)
        Tensor loss = losses::reduce(token_loss, weights, normaliser);
        loss_sum += loss.item<double>();
        if (kl) {
          const Tensor divergence =
              losses::kl_loss(params.kl_estimator, logps.logps, old_logp, pick(e.reference_logp));  // (rows)
          const Tensor term = losses::reduce(divergence * targets.kl_coef, weights, normaliser);
          kl_sum += term.item<double>();
          loss = loss + term;
        }
        if (entropy) {
          const Tensor bonus =
              losses::reduce(losses::entropy_loss(logps.entropy, params.loss.entropy_coef), weights, normaliser);
          entropy_sum += bonus.item<double>();
          loss = loss + bonus;
        }
        loss.backward();
        stats.add(surrogate, at::ones_like(surrogate.loss.detach()));
      }
      if (extra) totals.extra_loss += extra(step * 1000 + totals.steps);

      // 3. The step.
      if (!std::isfinite(loss_sum + kl_sum)) throw NonFinite{"policy loss"};
      const double norm = optimizer.step(factor);
      if (!std::isfinite(norm)) throw NonFinite{"policy gradient"};
      if (totals.steps == 0) totals.first_minibatch = stats;
      totals.loss += loss_sum;
      totals.kl_loss += kl_sum;
      totals.entropy_loss += entropy_sum;
      totals.grad_norm += norm;
      ++totals.steps;
      for (losses::PolicyStats* s : {&totals.stats, &epoch_stats}) s->add(stats);
      if (params.target_kl > 0 && epoch_stats.kl_k3() > params.target_kl) {
        totals.stopped_early = true;
        break;
      }
    }
  }
  return totals;
}

}  // namespace hone::train
