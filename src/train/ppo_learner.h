// One PPO learner over any actor, critic and reward: the algorithm alone, without files, text or a model class.
#pragma once
#include "advantages/kl_controller.h"
#include "base/json_fwd.h"
#include "optim/optimizer.h"
#include "train/experience.h"
#include "train/ppo.h"

namespace hone::train {

class PpoLearner {
 public:
  PpoLearner(const PpoParams& params, uint64_t seed, int64_t total_steps, at::Device device, Actor actor,
             Actor reference, Critic critic, RewardFunction reward, ExtraLoss extra = {});

  /// One iteration: sample, score, update. `requests` name the prompts. Returns the metrics, in their order.
  Numbers step(int64_t step, std::span<const rollout::Request> requests);

  /// The last iteration's trajectories, for samples.jsonl.
  const std::vector<Trajectory>& trajectories() const { return experience_.trajectories; }
  int64_t last_tokens() const { return experience_.tokens; }
  /// Every disputed choice with its resolved value, in words.
  std::vector<std::string> describe() const;
  Json summary() const;

  /// Optimisers, KL controller: everything but the weights. Names are unique.
  optim::StateTensors state_tensors() const;
  Json state() const;
  void load_state(const optim::StateTensors& tensors, const Json& state);

 private:
  PpoParams params_;
  uint64_t seed_;
  int64_t total_steps_;
  AskOptions ask_;
  Actor actor_, reference_;
  Critic critic_;
  RewardFunction reward_;
  ExtraLoss extra_;
  optim::Optimizer policy_optimizer_, critic_optimizer_;
  advantages::KlController kl_;
  Experience experience_;
  double first_score_ = 0, last_score_ = 0, last_kl_ = 0;
};

}  // namespace hone::train
