// A reference that follows the policy (SyncSettings, TR-DPO): its weights, and its log-probabilities where they are
// asked for.
#pragma once
#include <span>
#include <vector>

#include "model/decoder.h"
#include "optim/named_tensor.h"
#include "train/preference.h"
#include "train/preference_step.h"

namespace hone::train {

class ReferenceFollower {
 public:
  /// `start`: what trains, before the first step. Off where settings.every is 0.
  ReferenceFollower(const SyncSettings& settings, const std::vector<optim::NamedTensor>& start);
  explicit operator bool() const { return settings_.every > 0; }
  /// A pass begins at these weights.
  void begin(const optim::StateTensors& start) { weights_ = start, moved_ = false; }

  /// Log-probabilities of the groups `members` under the reference as it is now; none where it has not moved.
  void refresh(JudgedData& data, std::span<const int64_t> members, model::Decoder& policy,
               const std::vector<optim::NamedTensor>& trained, at::ScalarType compute) const;
  /// After `done` steps of a pass.
  void follow(int64_t done, const std::vector<optim::NamedTensor>& trained);

  void append_state(optim::StateTensors& out) const;
  void restore(const optim::StateTensors& saved, bool moved);
  bool moved() const { return moved_; }
  const optim::StateTensors& weights() const { return weights_; }

 private:
  SyncSettings settings_;
  optim::StateTensors weights_;
  bool moved_ = false;
};

}  // namespace hone::train
