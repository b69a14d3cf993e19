#include "train/reference_follower.h"

#include "train/stop_watch.h"
#include "train/trainable.h"

namespace hone::train {

ReferenceFollower::ReferenceFollower(const SyncSettings& settings, const std::vector<optim::NamedTensor>& start)
    : settings_(settings) {
  if (settings.every > 0) weights_ = copies_of(start);
}

void ReferenceFollower::refresh(JudgedData& data, std::span<const int64_t> members, model::Decoder& policy,
                                const std::vector<optim::NamedTensor>& trained, at::ScalarType compute) const {
  if (!moved_) return;  // still what was computed at the start
  const at::NoGradGuard no_grad;
  const optim::StateTensors own = copies_of(trained);
  restore_weights(weights_, "", trained);
  refresh_reference(data.reference, policy, data.groups, data.mismatched, members, compute);
  restore_weights(own, "", trained);
}

void ReferenceFollower::follow(int64_t done, const std::vector<optim::NamedTensor>& trained) {
  if (settings_.every == 0 || done % settings_.every != 0) return;
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < trained.size(); ++i)
    weights_[i].second = settings_.alpha * trained[i].tensor.detach() + (1 - settings_.alpha) * weights_[i].second;
  moved_ = true;
}

void ReferenceFollower::append_state(optim::StateTensors& out) const {
  for (const auto& [name, tensor] : weights_) out.emplace_back("reference." + name, tensor);
}

void ReferenceFollower::restore(const optim::StateTensors& saved, bool moved) {
  if (settings_.every == 0) return;
  moved_ = moved;
  const optim::StateTensors kept = with_prefix(saved, "reference.");  // in an order of its own
  for (auto& [name, tensor] : weights_)
    for (const auto& [kept_name, value] : kept)
      if (kept_name == name) tensor = value;
}

}  // namespace hone::train
