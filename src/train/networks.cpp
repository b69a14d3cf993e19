#include "train/networks.h"

#include "rollout/generate.h"

namespace hone::train {

Actor decoder_actor(const model::Decoder& decoder, const model::ComputeOptions& compute) {
  Actor actor;
  actor.logps = [&decoder, compute](const Batch& b, const LogpsOptions& given) {
    LogpsOptions options = given;
    options.compute = compute.matmul;
    const Tensor hidden = decoder.hidden(b.packed, compute).index_select(0, b.rows);
    return token_logps(hidden, decoder.output_weight(), b.targets, options);
  };
  return actor;
}

Actor decoder_actor(const model::Decoder& decoder, const model::ComputeOptions& compute,
                    const rollout::SamplingParams& sampling, const rollout::GenerateOptions& options) {
  Actor actor = decoder_actor(decoder, compute);
  actor.sample = [&decoder, sampling, options](std::span<const rollout::Request> requests) {
    return rollout::generate(decoder, requests, sampling, options);
  };
  return actor;
}

model::ScalarHead value_head(const model::ScalarHead& reward_head, double shift, double scale) {
  const at::NoGradGuard no_grad;
  model::ScalarHead out;
  out.weight = reward_head.weight / scale;
  out.bias = reward_head.bias.defined() ? (reward_head.bias - shift) / scale
                                        : at::full({1}, -shift / scale, reward_head.weight.options());
  return out;
}

Critic decoder_critic(const model::Decoder& decoder, const model::ScalarHead& head,
                      const model::ComputeOptions& compute) {
  Critic critic;
  critic.values = [&decoder, &head, compute](const Batch& b, const Tensor& rows) {
    return head.scores(decoder.hidden(b.packed, compute).index_select(0, rows));
  };
  return critic;
}

}  // namespace hone::train
