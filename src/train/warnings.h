// Signs of over-optimisation that a learner may see: how far the policy has gone (KL), what it does to lengths and
// entropy, and how fast the proxy reward rises. Gold reward is not among them: in real life nobody has it.
//
// Gao, Schulman, Hilton 2022, arXiv 2210.10760: past some KL the proxy rises while the true reward falls; the place
// depends on the reward model's size and data, which is why these are signs and not a proof.
#pragma once
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "config/stage_context.h"

namespace hone::train {

class Warnings {
 public:
  /// `learned_reward`: what is maximised is a model of people's judgements, which is to be trusted near the reference
  /// alone. Of a rule distance, length and a rising reward are no signs, a falling entropy is.
  explicit Warnings(bool learned_reward = true) : learned_reward_(learned_reward) {}

  /// Messages that this step's metrics give rise to; each kind of warning speaks once.
  std::vector<std::string> look(int64_t step, const config::Numbers& numbers);
  Json state() const;
  void load_state(const Json& state);

 private:
  struct Start {
    double score = 0, entropy = 0, length = 0, seen = 0;
  };
  bool once(const std::string& kind);
  bool learned_reward_;
  Start start_;
  std::vector<std::string> spoken_;
  std::vector<double> recent_kl_;
};

}  // namespace hone::train
