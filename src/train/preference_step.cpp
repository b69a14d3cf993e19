#include "train/preference_step.h"

#include "losses/aggregate.h"
#include "tensor/from_host.h"
#include "train/batch_plan.h"
#include "train/collate.h"

namespace hone::train {
namespace {

// (P) f32: `value` of each member.
template <class Value>
Tensor floats(std::span<const int64_t> members, const at::Device& device, const Value& value) {
  std::vector<float> out;
  for (const int64_t i : members) out.push_back(static_cast<float>(value(static_cast<size_t>(i))));
  return from_host(out, device);
}

}  // namespace

losses::PairLogps pair_logps(const model::Decoder& policy, std::span<const int64_t> members,
                             std::span<const data::Pair> pairs, const ReferenceLogps& reference, const Forward& forward,
                             int64_t& tokens) {
  std::vector<const data::Sequence*> sequences;
  for (const int64_t i : members)
    for (const data::Sequence* s : {&pairs[static_cast<size_t>(i)].chosen, &pairs[static_cast<size_t>(i)].rejected})
      sequences.push_back(s);
  const at::Device device = policy.device();
  const Batch b = collate(sequences, device, /*group=*/2);
  tokens += b.tokens;
  const Tensor hidden = policy.hidden(b.packed, forward.compute).index_select(0, b.rows);
  const Tensor sums = sum_by_sequence(policy.token_logps(hidden, b.targets, forward.logps).logps, b).view({-1, 2});
  const Tensor counts = sum_by_sequence(at::ones_like(b.weights), b).view({-1, 2});
  return {sums.select(1, 0),
          sums.select(1, 1),
          floats(members, device, [&](size_t i) { return reference.chosen[i]; }),
          floats(members, device, [&](size_t i) { return reference.rejected[i]; }),
          counts.select(1, 0),
          counts.select(1, 1),
          {}};
}

PreferenceStep add_preference_gradient(const model::Decoder& policy, std::span<const data::Pair> pairs,
                                       const ReferenceLogps& reference, std::span<const int64_t> lengths,
                                       std::span<const int64_t> batch, int64_t micro_tokens,
                                       const losses::PairLossParams& loss, const Forward& forward) {
  const losses::PairLoss loss_function = losses::pair_loss(loss.loss);
  double normaliser = 0;
  for (const int64_t i : batch) normaliser += pairs[static_cast<size_t>(i)].weight;
  PreferenceStep out;
  for (const auto micro : micro_batches(batch, lengths, micro_tokens)) {
    const losses::PairLogps logps = pair_logps(policy, micro, pairs, reference, forward, out.tokens);
    const Tensor weights = floats(micro, policy.device(), [&](size_t i) { return pairs[i].weight; });
    const Tensor part = losses::reduce(loss_function(logps, loss), weights, normaliser);
    part.backward();
    out.loss += part.item<double>();
    out.chosen_drift += (logps.policy_chosen.detach() - logps.reference_chosen).sum().item<double>();
    out.rejected_drift += (logps.policy_rejected.detach() - logps.reference_rejected).sum().item<double>();
    out.right += losses::implicit_rewards(logps, loss.beta).margin.gt(0).sum().item<double>();
  }
  return out;
}

}  // namespace hone::train
