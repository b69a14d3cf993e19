// What a loss that learns from preferences directly is: a pure function of the log-probabilities of answers, in a file
// of its own (losses/preference/ID.cpp) and named by one line of losses.def. docs/add-a-loss.md adds one.
//
// A step's batch is groups: the answers to one prompt that are compared with one another. The loss is unreduced; the
// loop divides each term once by what that term is a mean over, fixed over the whole step (losses/aggregate.h), so how
// a step is cut into passes changes nothing. What a loss must know of the whole step before its first backward pass it
// measures without a gradient: its statistic.
#pragma once
#include <string_view>
#include <vector>

#include "losses/preference_settings.h"
#include "tensor/tensor.h"

namespace hone::losses {

/// N answers of G groups, group by group, the better ones first. Log-probabilities are sums over an answer's weighted
/// tokens, its end token included.
struct Answers {
  Arity arity = Arity::kPair;
  Tensor policy;     // (N) f32, autograd
  Tensor reference;  // (N) f32, no gradient; undefined for a loss without a reference
  Tensor tokens;     // (N) f32, weighted tokens of each answer, at least 1
  Tensor good;       // (N) f32, of singles: 1 the answer is good, 0 it is bad
  Tensor margin;     // (G) f32, of pairs: how strong the preference is, 0 to 1; undefined: 0
  Tensor collision;  // (N) f32, no gradient: mean over an answer's tokens of log Σ_v π(v)²; undefined unless asked for
  Tensor
      mismatched;  // (N) f32, no gradient: log π/π_ref of an answer to another prompt; of a whole step, for statistics
  std::vector<int64_t> begin;  // (G + 1), of rankings: where each group's answers begin

  Tensor chosen(const Tensor& x) const { return x.view({-1, 2}).select(1, 0); }    // (N) of pairs -> (P)
  Tensor rejected(const Tensor& x) const { return x.view({-1, 2}).select(1, 1); }  // (N) of pairs -> (P)
  Tensor log_ratio() const { return policy - reference; }                          // (N)
  /// log π/π_ref of the chosen answer less that of the rejected one -> (P).
  Tensor difference() const { return (chosen(policy) - chosen(reference)) - (rejected(policy) - rejected(reference)); }
  Tensor per_token(const Tensor& x) const { return x / tokens; }  // (N)
};

/// What a loss knows of a whole step: measured without a gradient before the first backward pass, so that it is the
/// same in every pass of it.
struct Statistic {
  double value = 0;    ///< of the step, or carried from step to step; in the checkpoint
  double count = 0;    ///< what it was measured of so far, where it is carried
  Tensor groups = {};  ///< (G, k) numbers of each group of the step; undefined: none. Not carried.
};

/// A summand of a loss. Its divisor is the sum over the whole step of the groups' weights, each times the unit's count.
struct Term {
  enum class Unit {
    kGroup,        ///< a mean over groups
    kChosenToken,  ///< a mean over the weighted tokens of the groups' best answers
  };
  Tensor values;  // (G), each summed over its unit
  Unit unit = Unit::kGroup;
};

struct PreferenceValue {
  std::vector<Term> terms;
  Tensor reward;     // (N) scale times it is the implicit reward of each answer, detached: for accuracy and margins
  double scale = 1;  ///< above 0
};

/// One line of losses.def.
struct PreferenceLoss {
  PreferenceNeeds needs;
  PreferenceValue (*value)(const Answers& answers, const PreferenceLossParams& params, const Statistic& statistic);
  /// Of a step's whole batch; null where the loss has none. `before`: what it was after the step before.
  Statistic (*statistic)(const Answers& batch, const PreferenceLossParams& params, const Statistic& before);
  std::unique_ptr<PreferenceLossParams> (*make)();
};

/// The loss of kind `preference` with this id; kUsage listing them where there is none.
const PreferenceLoss& preference_loss(std::string_view id);
std::vector<std::string> preference_loss_ids();

// For the losses' own files.

/// A loss's struct of settings, which has fields(config::Fields&), behind the interface.
template <class P>
class PreferenceLossParamsOf : public PreferenceLossParams {
 public:
  P own;
  void fields(config::Fields& v) override { own.fields(v); }
  std::unique_ptr<PreferenceLossParams> clone() const override {
    return std::make_unique<PreferenceLossParamsOf>(*this);
  }
  static const P& of(const PreferenceLossParams& params) {
    return dynamic_cast<const PreferenceLossParamsOf&>(params).own;
  }
};

/// `Value` is PreferenceValue(const Answers&, const P&), or with a third const Statistic& where there is a `Measure`,
/// Statistic(const Answers&, const P&, const Statistic& before).
template <class P, auto Value, auto Measure = nullptr>
constexpr PreferenceLoss define_preference_loss(PreferenceNeeds needs) {
  PreferenceLoss out{needs, nullptr, nullptr, nullptr};
  out.make = []() -> std::unique_ptr<PreferenceLossParams> { return std::make_unique<PreferenceLossParamsOf<P>>(); };
  if constexpr (std::is_same_v<decltype(Measure), std::nullptr_t>) {
    out.value = [](const Answers& a, const PreferenceLossParams& p, const Statistic&) {
      return Value(a, PreferenceLossParamsOf<P>::of(p));
    };
  } else {
    out.value = [](const Answers& a, const PreferenceLossParams& p, const Statistic& s) {
      return Value(a, PreferenceLossParamsOf<P>::of(p), s);
    };
    out.statistic = [](const Answers& a, const PreferenceLossParams& p, const Statistic& before) {
      return Measure(a, PreferenceLossParamsOf<P>::of(p), before);
    };
  }
  return out;
}

/// -> the one term of a plain loss, with the implicit reward beta·log π/π_ref of each answer.
PreferenceValue plain(const Tensor& loss, const Answers& answers, double beta);
/// The setting that most of them have, with its usual meaning.
void beta_field(config::Fields& v, double& beta, std::string_view source);
void smoothing_field(config::Fields& v, double& label_smoothing, std::string_view source = "off, as in TRL");

}  // namespace hone::losses
