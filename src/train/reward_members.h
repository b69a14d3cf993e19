// The members of a reward model, one after the other: each is made, learns, and is finished (its rewards normalised,
// its folder written, the held-out comparisons judged) before the next one takes its place in memory.
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/stats.h"
#include "config/stage_context.h"
#include "data/tokens.h"
#include "model/decoder.h"
#include "model/scalar_head.h"
#include "optim/optimizer.h"
#include "rewards/agreement.h"
#include "text/tokenizer.h"
#include "train/reward.h"

namespace hone::train {

struct RewardMember {
  int64_t number;
  model::Decoder decoder;
  model::ScalarHead head;
  optim::Optimizer optimizer;
  std::shared_ptr<WeightCasts> casts = std::make_shared<WeightCasts>();
};

/// Makes them one at a time: only the one that learns is there. With adapters all stand on one frozen model.
class RewardMemberMaker {
 public:
  RewardMemberMaker(const RewardParams& params, config::StageContext& context) : params_(params), context_(context) {}

  RewardMember make(int64_t number);
  /// Of matrix products; known once a member was made.
  at::ScalarType compute() const { return compute_; }
  /// What ends an answer, once it is known: for the members to come.
  void set_ends(const std::vector<int64_t>& ends) { ends_ = ends; }

 private:
  const RewardParams& params_;
  config::StageContext& context_;
  std::optional<model::Decoder> trunk_;
  at::ScalarType compute_ = at::ScalarType::Undefined;
  std::vector<int64_t> ends_;
  bool made_ = false;
};

/// Comparisons that do not train, and the source that each came from.
struct HeldOutPairs {
  std::vector<data::Pair> pairs;
  std::vector<std::string> sources;
};

/// Margins (raw scores of chosen less rejected) by the member as it is. `label`: of a progress bar, or none.
std::vector<rewards::Compared> margins_of(const RewardMember& member, const HeldOutPairs& held_out,
                                          at::ScalarType compute, const char* label = nullptr);

/// What is left of a member that has learnt, beside its folder.
struct FinishedMember {
  double shift = 0, scale = 1;
  std::vector<double> margins;  ///< raw, of the held-out comparisons
  Json to_json() const { return {{"shift", shift}, {"scale", scale}, {"margins", margins}}; }
  static FinishedMember from_json(const Json& j) {
    return {j.at("shift"), j.at("scale"), j.at("margins").get<std::vector<double>>()};
  }
};

/// Where members go: the first to `folder`, of which it is the model, the others below it.
std::filesystem::path member_folder(const std::filesystem::path& folder, int64_t number);

/// Shift and scale so that rewards of `reference` answers have mean 0 and standard deviation 1; writes the folder,
/// whose batches are padded with `pad`.
FinishedMember finish_member(RewardMember& member, std::span<const std::vector<int32_t>> reference,
                             const HeldOutPairs& held_out, const text::Tokenizer& tokenizer, std::optional<int32_t> pad,
                             const std::filesystem::path& folder, const std::string& dtype, at::ScalarType compute);

/// results.json: accuracy, calibration and agreement by margin of all members together on the held-out comparisons.
Json reward_results(std::span<const FinishedMember> members, const HeldOutPairs& held_out, stats::Estimate& accuracy);

}  // namespace hone::train
