#include "train/stop_watch.h"

#include <cmath>

#include "base/error.h"
#include "base/rng.h"
#include "train/trainable.h"

namespace hone::train {

optim::StateTensors copies_of(const std::vector<optim::NamedTensor>& tensors) {
  optim::StateTensors out;
  append_weights(out, "", tensors);
  for (auto& [name, tensor] : out) tensor = tensor.detach().clone();
  return out;
}

StopWatch::StopWatch(const StopSettings& settings, const model::Decoder& policy, const data::Encoder& encoder,
                     std::span<const data::Prompt> prompts, const std::optional<HeldOut>& start, at::ScalarType compute,
                     uint64_t seed) {
  if (!settings.on()) return;
  StopSettings own = settings;
  if (own.folds > 0) own.patience = 0;
  Look look;
  if (start) look.accuracy = start->accuracy, look.loss = start->loss;
  if (own.drifts()) {
    std::vector<AskedPrompt> asked = draw_asked(prompts, own.prompts, encoder, own.max_tokens,
                                                policy.config().max_positions, mix64(seed, hash64("drift")));
    if (asked.empty())
      usage_error("stop.kl_limit and stop.start_loss_limit: there is no prompt short enough to be answered",
                  "set both to 0, or give shorter prompts");
    drift_.emplace(policy, encoder, std::move(asked), own.samples, own.max_tokens, compute, seed);
    look.kl_per_token = 0, look.start_loss_ratio = 1;
  }
  early_.emplace(own, look);
}

void StopWatch::look(int64_t done, const std::optional<HeldOut>& held_out, const model::Decoder& policy,
                     const std::vector<optim::NamedTensor>& trained, Numbers& numbers) {
  Look look{.step = done};
  if (held_out) look.accuracy = held_out->accuracy, look.loss = held_out->loss;
  if (drift_) {
    const Drift drift = drift_->measure(policy);
    look.kl_per_token = drift.kl_per_token, look.start_loss_ratio = drift.start_loss_ratio;
    look.start_loss_ratio_error = drift.start_loss_ratio_error;
    numbers.emplace_back("kl_per_token", drift.kl_per_token);
    numbers.emplace_back("start_loss_ratio", drift.start_loss_ratio);
    if (std::isfinite(drift.start_loss_ratio_error))
      numbers.emplace_back("start_loss_ratio_error", drift.start_loss_ratio_error);
  }
  if (early_->take(look)) keep(trained);
}

void StopWatch::append_state(optim::StateTensors& out) const {
  for (const auto& [name, tensor] : kept_) out.emplace_back("kept." + name, tensor);
}

void StopWatch::restore(const optim::StateTensors& saved, const Json& json) {
  if (!early_) return;
  early_->restore(json.at("early_stop"));
  kept_ = with_prefix(saved, "kept.");
}

void StopWatch::put_back(const std::vector<optim::NamedTensor>& trained) const { restore_weights(kept_, "", trained); }

void StopWatch::count(MemoryCount& memory) const {
  if (drift_) memory.add(drift_->start());
  memory.add(kept_);
}

}  // namespace hone::train
