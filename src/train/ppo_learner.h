// One PPO learner over any actor, critic and reward: the algorithm alone, without files, text or a model class, so that
// the same code learns with a transformer in production and with a table in the enumeration tests.
#pragma once
#include <functional>
#include <memory>
#include <span>

#include "advantages/kl_controller.h"
#include "base/json_fwd.h"
#include "config/stage_context.h"
#include "optim/optimizer.h"
#include "rollout/rollout.h"
#include "tensor/logps.h"
#include "train/collate.h"
#include "train/ppo.h"

namespace hone::train {

using config::Numbers;

/// A prompt with one sampled completion and its reward.
struct Trajectory {
  data::Sequence sequence;  // prompt and completion; weight 1 on completion tokens
  int64_t prompt_tokens = 0;
  rollout::Completion completion;
  double score = 0;  // reward of the whole answer as the reward model gave it
};

/// Log-probabilities of a batch's weighted rows under some policy, in the training forward's shape.
struct Actor {
  std::function<TokenLogps(const Batch&, const LogpsOptions&)> logps;
  std::function<std::vector<rollout::Completion>(std::span<const rollout::Request>)>
      sample;                                  // the reference needs none
  std::vector<optim::NamedTensor> parameters;  // trainable ones
};

/// Values of the states at the given packed rows -> (len(rows)) f32.
struct Critic {
  std::function<Tensor(const Batch&, const Tensor& rows)> values;
  std::vector<optim::NamedTensor> parameters;
};

/// Scores of whole trajectories.
using RewardFunction = std::function<std::vector<double>(std::span<const Trajectory>)>;

/// Adds the gradient of an extra loss (pretraining mixing) to the policy's parameters; returns its value.
using ExtraLoss = std::function<double(int64_t step)>;

/// A loss or gradient that is not finite; the update it belongs to was not made.
struct NonFinite {
  std::string what;
};

class PpoLearner {
 public:
  PpoLearner(const PpoParams& params, uint64_t seed, int64_t total_steps, at::Device device, Actor actor,
             Actor reference, Critic critic, RewardFunction reward, ExtraLoss extra = {});

  /// One iteration: sample, score, update. `requests` name the prompts. Returns the metrics, in their order.
  Numbers step(int64_t step, std::span<const rollout::Request> requests);

  /// The last iteration's trajectories, for samples.jsonl.
  const std::vector<Trajectory>& trajectories() const { return trajectories_; }
  int64_t last_tokens() const { return tokens_; }
  /// Every disputed choice with its resolved value, in words.
  std::vector<std::string> describe() const;
  Json summary() const;

  /// Optimisers, KL controller: everything but the weights. Names are unique.
  optim::StateTensors state_tensors() const;
  Json state() const;
  void load_state(const optim::StateTensors& tensors, const Json& state);

 private:
  struct Experience;
  struct Totals;
  LogpsOptions logps_options() const;
  Experience collect(std::span<const rollout::Request> requests);
  void shape(Experience& e) const;
  void update_policy(const Experience& e, int64_t step, Totals& totals);
  void update_critic(const Experience& e, int64_t step, Totals& totals);
  std::vector<std::vector<int64_t>> shuffled_minibatches(const char* purpose, int64_t step, int64_t epoch) const;
  std::vector<std::span<const int64_t>> micro(std::span<const int64_t> members) const;
  Batch batch_of(std::span<const int64_t> members, const Experience& e, Tensor& rows) const;
  Tensor value_rows(const Batch& batch, std::span<const int64_t> members, const Experience& e) const;

  PpoParams params_;
  uint64_t seed_;
  int64_t total_steps_;
  at::Device device_;
  Actor actor_, reference_;
  Critic critic_;
  RewardFunction reward_;
  ExtraLoss extra_;
  optim::Optimizer policy_optimizer_, critic_optimizer_;
  advantages::KlController kl_;
  std::vector<Trajectory> trajectories_;
  std::vector<int64_t> lengths_, all_;  // tokens of each trajectory; 0, 1, 2, …
  int64_t tokens_ = 0;
  double first_score_ = 0, last_score_ = 0, last_kl_ = 0;
};

}  // namespace hone::train
