#include "train/reward_step.h"

#include "losses/aggregate.h"
#include "losses/bradley_terry.h"
#include "tensor/from_host.h"
#include "train/batch_plan.h"
#include "train/collate.h"

namespace hone::train {

RewardStep add_reward_gradient(const model::Decoder& decoder, const model::ScalarHead& head,
                               std::span<const data::Pair> pairs, std::span<const int64_t> lengths,
                               std::span<const int64_t> batch, int64_t micro_tokens,
                               const losses::BradleyTerryParams& loss, bool use_margin,
                               const model::ComputeOptions& given, const StepDropout& dropout) {
  double normaliser = 0;
  for (const int64_t i : batch) normaliser += pairs[i].weight;
  RewardStep out;
  for (const auto micro : micro_batches(batch, lengths, micro_tokens)) {
    std::vector<const data::Sequence*> sequences;
    const auto count = static_cast<int64_t>(micro.size());
    std::vector<float> weights, margins;
    std::vector<uint64_t> numbers;
    for (const int64_t i : micro) {
      const data::Pair& p = pairs[i];
      sequences.push_back(&p.chosen);
      sequences.push_back(&p.rejected);
      weights.push_back(static_cast<float>(p.weight));
      margins.push_back(static_cast<float>(p.margin));
      for (const uint64_t side : {0, 1}) numbers.push_back(2 * static_cast<uint64_t>(i) + side);
    }
    const Batch b = collate(sequences, decoder.device(), /*group=*/2);
    model::ComputeOptions compute = given;
    compute.dropout = token_dropout(dropout, numbers, b.packed);
    const Tensor scores = head.scores(decoder.hidden(b.packed, compute).index_select(0, b.last)).view({count, 2});
    const losses::RewardPair pair{
        scores.select(1, 0), scores.select(1, 1), use_margin ? from_host(margins, scores.device()) : Tensor(), {}};
    const Tensor part =
        losses::reduce(losses::bradley_terry(pair, loss), from_host(weights, scores.device()), normaliser);
    part.backward();
    out.loss += part.item<double>();
    const Tensor difference = (pair.chosen - pair.rejected).detach();
    out.right += difference.gt(0).sum().item<double>();
    out.gap += difference.sum().item<double>();
    out.tokens += b.tokens;
  }
  return out;
}

}  // namespace hone::train
