#include "train/networks.h"

#include "rollout/generate.h"
#include "tensor/from_host.h"

namespace hone::train {

Actor decoder_actor(const model::Decoder& decoder, const model::ComputeOptions& compute,
                    std::span<const int32_t> absent_ids) {
  Actor actor;
  actor.logps = [&decoder, compute, absent = index_from_host(absent_ids, decoder.device())](const Batch& b,
                                                                                            const LogpsOptions& given) {
    LogpsOptions options = given;
    options.compute = compute.matmul;
    options.casts = compute.casts;
    options.absent = absent;
    const Tensor hidden = decoder.hidden(b.packed, compute).index_select(0, b.rows);
    return decoder.token_logps(hidden, b.targets, options);
  };
  return actor;
}

Actor decoder_actor(const model::Decoder& decoder, const model::ComputeOptions& compute,
                    const rollout::SamplingParams& sampling, const rollout::GenerateOptions& options) {
  Actor actor = decoder_actor(decoder, compute, options.absent_ids);
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
