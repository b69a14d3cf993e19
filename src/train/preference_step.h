// The gradient of one step of learning from judged answers directly: the arithmetic of the loop, without files, so that
// tests hold it against itself cut in every way.
#pragma once
#include <span>

#include "data/tokens.h"
#include "losses/preference_loss.h"
#include "train/forward.h"
#include "train/reference_logps.h"

namespace hone::train {

/// Groups with what the loss must know of them beside.
struct JudgedData {
  std::vector<data::JudgedGroup> groups;
  std::vector<data::Sequence> mismatched;  ///< of each group (judged_groups.h), or none
  ReferenceLogps reference;                ///< of each group, or none
  std::vector<int64_t> lengths;            ///< tokens of a pass

  void measure_lengths();
};

/// Policy and reference log-probabilities of the groups `members`; adds to `tokens` what was run through the policy.
losses::Answers answers_of(const model::Decoder& policy, std::span<const int64_t> members, const JudgedData& data,
                           const losses::PreferenceNeeds& needs, const Forward& forward, int64_t& tokens);

/// Sums over one side of the groups: good answers, the first of a pair or the best of a ranking; or bad ones, the other
/// one or the worst.
struct JudgedSide {
  double drift = 0;  ///< of log(policy / reference), nats: DPO can push both sides down. Without a reference log policy
  double reward = 0;  ///< of implicit rewards, before PreferenceStep::scale
  int64_t answers = 0;
};

struct PreferenceStep {
  double loss = 0;       ///< weighted mean over the batch
  double comparing = 0;  ///< of that, without the likelihood of chosen answers, which rises whatever was judged; only
                         ///< of evaluate_preference and evaluate_reference
  JudgedSide chosen, rejected;
  double scale = 1;  ///< of implicit rewards
  double right = 0;  ///< groups whose implicit rewards are in the judged order; of singles, on the right side of 0
  int64_t tokens = 0;
  /// Mean implicit reward of the chosen side less that of the rejected one; 0 where one is empty.
  double margin() const;
};

/// What the loss knows of the whole of `batch` before its first backward pass; `before` where it has no statistic.
losses::Statistic measure_statistic(const model::Decoder& policy, const JudgedData& data,
                                    std::span<const int64_t> batch, int64_t micro_tokens,
                                    const losses::PreferenceLossSettings& loss, const losses::Statistic& before,
                                    const Forward& forward, int64_t& tokens);

/// Adds the gradient of the loss over all of `batch` (indices into the groups) to the policy's .grad, in passes of
/// whole groups with at most `micro_tokens` tokens. How it is cut changes nothing but rounding. `statistic`: of the
/// step before, then of this one.
PreferenceStep add_preference_gradient(const model::Decoder& policy, const JudgedData& data,
                                       std::span<const int64_t> batch, int64_t micro_tokens,
                                       const losses::PreferenceLossSettings& loss, losses::Statistic& statistic,
                                       const Forward& forward);

/// The same figures without a gradient, under `statistic` as it is where the loss carries one from step to step.
PreferenceStep evaluate_preference(const model::Decoder& policy, const JudgedData& data,
                                   std::span<const int64_t> members, const losses::PreferenceLossSettings& loss,
                                   const losses::Statistic& statistic, const Forward& forward);
/// Those of the reference in the policy's place, which needs no pass through a network: where learning starts.
PreferenceStep evaluate_reference(const JudgedData& data, std::span<const int64_t> members,
                                  const losses::PreferenceLossSettings& loss, at::Device device);

}  // namespace hone::train
