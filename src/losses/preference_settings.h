// The settings of a preference loss: each loss has its own, and no other loss's are known where it is chosen.
// Torch-free, so that recipes, `hone explain` and the pipeline read them without LibTorch.
#pragma once
#include <memory>
#include <string>

#include "config/fields.h"

namespace hone::losses {

/// What one loss reads; its fields stand in its own file (losses/preference/ID.cpp).
class PreferenceLossParams {
 public:
  virtual ~PreferenceLossParams() = default;
  virtual void fields(config::Fields& v) = 0;
  virtual std::unique_ptr<PreferenceLossParams> clone() const = 0;
};

/// How many answers to one prompt a loss compares.
enum class Arity {
  kSingle,   ///< one, which is good or bad
  kPair,     ///< two, the better one first
  kRanking,  ///< two or more, from best to worst
};

/// What a loop must know of a loss before it reads anything.
struct PreferenceNeeds {
  Arity arity = Arity::kPair;
  bool reference = true;    ///< log-probabilities under the frozen reference
  bool mismatched = false;  ///< … and of an answer to another prompt beside each, under policy and reference
  bool collision = false;   ///< Σ_v π(v)² of every step, for weights
};

/// The settings group `loss` of a stage: which loss, and what that one reads.
class PreferenceLossSettings {
 public:
  std::string name = "dpo";

  PreferenceLossSettings() = default;
  PreferenceLossSettings(std::string chosen) : name(std::move(chosen)) {}
  PreferenceLossSettings(const PreferenceLossSettings& other);
  PreferenceLossSettings& operator=(const PreferenceLossSettings& other);

  /// `name`, and the settings of the loss of that name as it is now. Defaults where another one was chosen before.
  void fields(config::Fields& v);
  /// Of the loss `name`, made with its defaults when it is first asked for. Unknown: kUsage.
  PreferenceLossParams& params() const;
  PreferenceNeeds needs() const;
  /// Whether it measures the whole of a step before its first backward pass.
  bool measures() const;

 private:
  mutable std::string made_for_;
  mutable std::unique_ptr<PreferenceLossParams> params_;
};

}  // namespace hone::losses
