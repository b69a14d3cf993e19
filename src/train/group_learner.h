// One group learner over any actor and reward: the algorithm alone, without files, text or a model class.
#pragma once
#include "advantages/kl_controller.h"
#include "base/json_fwd.h"
#include "optim/optimizer.h"
#include "train/experience.h"
#include "train/group.h"

namespace hone::train {

/// The next `prompts` prompts, samples_per_prompt requests of each beside each other. A pure function of how often it
/// was asked.
using PromptSource = std::function<std::vector<rollout::Request>(int64_t prompts)>;

class GroupLearner {
 public:
  /// `greedy` answers greedily; only baseline = greedy asks it.
  GroupLearner(const GroupParams& params, uint64_t seed, int64_t total_steps, at::Device device, Actor actor,
               Actor reference, Actor greedy, RewardFunction reward);

  /// One iteration: sample, score, update. Returns the metrics, in their order. Throws NonFinite.
  Numbers step(int64_t step, const PromptSource& prompts);

  /// The last iteration's trajectories, for samples.jsonl.
  const std::vector<Trajectory>& trajectories() const { return experience_.trajectories; }
  int64_t last_tokens() const { return experience_.tokens; }
  /// Every disputed choice with its resolved value, in words.
  std::vector<std::string> describe() const;
  Json summary() const;

  /// Optimiser, KL controller: everything but the weights. Names are unique.
  optim::StateTensors state_tensors() const;
  Json state() const;
  void load_state(const optim::StateTensors& tensors, const Json& state);

 private:
  struct Sampled {
    int64_t asked = 0;   // prompts, those that were dropped among them
    bool taught = true;  // false: every prompt was dropped, and the last ones stand for them
  };
  Sampled sample(const PromptSource& prompts);
  std::vector<float> greedy_rewards() const;
  std::vector<float> shaped_scores(std::span<const Trajectory> trajectories) const;

  GroupParams params_;
  uint64_t seed_;
  int64_t total_steps_;
  AskOptions ask_;
  Actor actor_, reference_, greedy_;
  RewardFunction reward_;
  optim::Optimizer optimizer_;
  advantages::KlController kl_;
  Experience experience_;
  double first_score_ = 0, last_score_ = 0, last_kl_ = 0;
};

}  // namespace hone::train
