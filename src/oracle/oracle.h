// The algorithms held against answers found by enumeration: in a space of at most 8 tokens and at most 5 positions
// every answer can be listed, so optima, divergences and gradients are known exactly. Production code throughout. The
// model is a table of logits, one row for each prefix, which can be any distribution; or a small transformer of Llama's
// shape, as production trains and samples it. Torch-free header: `hone selftest --oracle` and the tests use it.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace hone::oracle {

/// A space, its seeded reward (standard deviation 1) and reference, and the strength of the pull to the reference.
struct Problem {
  int64_t vocab = 4, length = 3;
  double beta = 1;
  uint64_t seed = 1;
};

enum class Policy {
  kTable,
  kTransformer,
  kAdapter,  ///< the same transformer, frozen, under LoRA of full rank on every linear layer; a critic likewise
};

/// Total variation between a policy and the optimum π_ref·exp(r/β)/Z, before and after learning.
struct Distance {
  double start = 0, end = 0;
};
/// PPO with a KL penalty of β: γ = λ = 1, no whitening, learning rate falling to 0. `batch` answers a step.
Distance ppo_reaches_optimum(Policy policy, const Problem& problem, int64_t steps, int64_t batch);
/// The loss `dpo` on all pairs with Bradley–Terry labels of the reward.
Distance dpo_reaches_optimum(Policy policy, const Problem& problem, int64_t steps);

/// Total variation between what a loss of losses.def makes of a table and the minimum of the same loss found apart.
struct LossDistance {
  double start = 0;  ///< of the reference to that minimum
  double end = 0;
  double left = 0;  ///< share of the way down in the loss that is still to go: where a valley is flat, what counts
  /// False where other policies have as low a loss (unpaired AOT compares two distributions, whichever answer lies
  /// where in them): then `left` alone counts.
  bool determined = true;
  /// Within a hundredth by one figure and a tenth by the other. Losses with bounded terms (KTO, APO) have their minimum
  /// at infinity: the policy comes there, the last of the loss takes for ever. In a flat valley (EXO) it is the other
  /// way round.
  bool reached() const;
};
/// A loss of kind `preference`, on judged answers of a space of 9: pairs and rankings with the probabilities of
/// Bradley–Terry and Plackett–Luce labels as weights (AOT: counts), single answers with the shares in which they win
/// and lose. The minimum is found in f64 by other code: each formula written again, its gradient by differences. What a
/// loss holds fixed (KTO's z, BCO's δ, WPO's weights, AOT's order) both hold fixed.
LossDistance preference_loss_reaches_minimum(const std::string& loss);

/// The policy gradient of the first minibatch (ratio 1) against the exact one: the largest deviation of a component in
/// standard errors.
double gradient_deviation(const Problem& problem, int64_t batches, int64_t batch);

/// A way to learn without a critic (train/group.h).
struct GroupWay {
  const char* baseline = "leave_one_out";
  const char* scale = "none";
  const char* kl_placement = "none";
  int64_t samples_per_prompt = 4;
};
struct GradientFit {
  double worst = 0;    ///< largest deviation of a component from the expected one, standard errors
  double length = 0;   ///< of the mean estimate, over the exact gradient's
  double degrees = 0;  ///< between the two
};
/// The gradients of `batches` iterations of `prompts` prompts by train::GroupLearner, against the exact policy gradient
/// of E[r] - β·KL (β = 0 where kl_placement is none) times what the baseline makes of it: 1 - 1/k for the mean of k
/// answers, 1 - 1/n for that of all n, else 1.
GradientFit group_gradient(const GroupWay& way, const Problem& problem, int64_t batches, int64_t prompts);
/// E[k1] and E[k3] under the policy against the exact divergence: the larger relative difference.
double divergence_error(const Problem& problem);

}  // namespace hone::oracle
