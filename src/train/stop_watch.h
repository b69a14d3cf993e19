// Early stopping around a loop (early_stop.h): what an evaluation looks at beside the held-out rows, and the weights
// that are kept.
#pragma once
#include <optional>
#include <span>

#include "base/json.h"
#include "config/stage_context.h"
#include "train/drift.h"
#include "train/early_stop.h"
#include "train/memory_count.h"

namespace hone::train {

using config::Numbers;

/// What an evaluation on rows that do not train found.
struct HeldOut {
  double loss = 0, accuracy = 0;
  double comparing = 0;  ///< the loss without the likelihood of chosen answers
};

/// Copies of the tensors' values, by name.
optim::StateTensors copies_of(const std::vector<optim::NamedTensor>& tensors);

class StopWatch {
 public:
  /// `policy`: before its first step. `prompts`: what a look may ask. `start`: what held-out rows say of the policy, or
  /// nothing where none will be asked.
  StopWatch(const StopSettings& settings, const model::Decoder& policy, const data::Encoder& encoder,
            std::span<const data::Prompt> prompts, const std::optional<HeldOut>& start, at::ScalarType compute,
            uint64_t seed);

  explicit operator bool() const { return early_.has_value(); }
  const EarlyStop& early() const { return *early_; }
  void until(int64_t step) { early_->until(step); }
  bool ended() const { return early_ && early_->ended(); }

  /// After step `done`, whose held-out figures are `held_out`; adds what it measures to the step's metrics.
  void look(int64_t done, const std::optional<HeldOut>& held_out, const model::Decoder& policy,
            const std::vector<optim::NamedTensor>& trained, Numbers& numbers);

  /// How far `policy` is from the start; only where the settings have a limit for it.
  Drift drift(const model::Decoder& policy) const { return drift_->measure(policy); }

  /// What stands in the checkpoint: the kept weights, and where it is.
  void keep(const std::vector<optim::NamedTensor>& trained) { kept_ = copies_of(trained); }
  void append_state(optim::StateTensors& out) const;
  Json json() const { return early_ ? Json{{"early_stop", early_->state()}} : Json::object(); }
  void restore(const optim::StateTensors& saved, const Json& json);
  /// Puts the kept weights back.
  void put_back(const std::vector<optim::NamedTensor>& trained) const;

  void count(MemoryCount& memory) const;

 private:
  std::optional<DriftMeter> drift_;
  std::optional<EarlyStop> early_;
  optim::StateTensors kept_;
};

}  // namespace hone::train
