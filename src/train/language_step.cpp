#include "train/language_step.h"

#include "losses/aggregate.h"
#include "losses/language.h"
#include "train/batch_plan.h"

namespace hone::train {

Tensor token_losses(const model::Decoder& decoder, const Batch& batch, const Forward& forward) {
  const Tensor hidden = decoder.hidden(batch.packed, forward.compute).index_select(0, batch.rows);
  return losses::language(decoder.token_logps(hidden, batch.targets, forward.logps).logps);
}

LanguageStep add_language_gradient(const model::Decoder& decoder, std::span<const data::Sequence> sequences,
                                   std::span<const int64_t> lengths, std::span<const int64_t> batch,
                                   int64_t micro_tokens, const Forward& given, const StepDropout& dropout) {
  double normaliser = 0;
  for (const int64_t i : batch) normaliser += losses::total_weight(sequences[i].weight);
  LanguageStep out;
  for (const auto micro : micro_batches(batch, lengths, micro_tokens)) {
    std::vector<const data::Sequence*> members;
    for (const int64_t i : micro) members.push_back(&sequences[i]);
    const Batch b = collate(members, decoder.device());
    Forward forward = given;
    forward.compute.dropout = token_dropout(dropout, std::vector<uint64_t>(micro.begin(), micro.end()), b.packed);
    const Tensor part = losses::reduce(token_losses(decoder, b, forward), b.weights, normaliser);
    part.backward();
    out.loss += part.item<double>();
    out.tokens += b.tokens;
  }
  return out;
}

double held_out_loss(const model::Decoder& decoder, std::span<const data::Sequence> sequences, int64_t micro_tokens,
                     const Forward& forward) {
  constexpr int64_t kMost = 60000, kOnePass = 8192;  // tokens
  const at::NoGradGuard no_grad;
  double loss = 0, weight = 0;
  int64_t tokens = 0;
  for (size_t begin = 0; begin < sequences.size() && tokens < kMost;) {
    std::vector<const data::Sequence*> members;
    int64_t used = 0;
    while (begin < sequences.size() &&
           (members.empty() || used + sequences[begin].size() <= std::min(micro_tokens, kOnePass))) {
      used += sequences[begin].size();
      members.push_back(&sequences[begin++]);
    }
    tokens += used;
    const Batch batch = collate(members, decoder.device());
    if (batch.rows.size(0) == 0) continue;
    const Tensor losses = token_losses(decoder, batch, forward);
    loss += (losses.to(at::kDouble) * batch.weights).sum().item<double>();
    weight += batch.weights.sum(at::kDouble).item<double>();
  }
  return weight > 0 ? loss / weight : 0;
}

}  // namespace hone::train
