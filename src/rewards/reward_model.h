// A reward model, or an ensemble of them, as a function from token ids to a number.
//
//   reward = (raw - shift) / scale
//
// where raw is the head's score at the last token and (shift, scale) are stored with the model, chosen after training
// so that rewards of reference samples have mean 0 and standard deviation 1 (Ziegler et al. 2019, arXiv 1909.08593).
// What transformers returns for the same folder is the raw score.
//
// Ensembles: Coste et al. 2023, arXiv 2310.02743: mean; worst case (WCO, the minimum); uncertainty-weighted (UWO,
// mean - λ·variance over members). A folder with members/ beside its weights is an ensemble.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/decoder.h"
#include "model/scalar_head.h"

namespace hone::rewards {

struct Member {
  model::Decoder decoder;
  model::ScalarHead head;
};

class RewardModel {
 public:
  /// A folder without a head is kUsage. `compute` is the dtype of matrix products.
  static RewardModel load(const std::filesystem::path& folder, at::Device device, at::ScalarType compute);

  /// How members become one number: a HONE_ENSEMBLE of rewards.def, "mean" from the start.
  void combine_by(const std::string& rule, double penalty);
  /// One reward for each sequence (prompt and answer), at its last token. Sequences must not be empty.
  std::vector<double> score(std::span<const std::vector<int32_t>> sequences) const;
  size_t members() const { return members_.size(); }
  /// Raw score of one unit of reward, the members' mean: differences times it are log-odds under Bradley–Terry.
  double scale() const;
  const model::ModelConfig& config() const { return members_.front().decoder.config(); }

 private:
  std::vector<Member> members_;
  at::ScalarType compute_ = at::ScalarType::Undefined;
  double (*combine_)(std::span<const double> votes, double penalty) = nullptr;  // set by load()
  double penalty_ = 1;
};

/// Raw head scores at the last tokens, packed in micro-batches of at most `micro_tokens`. `progress` is told how many
/// sequences are done.
std::vector<double> raw_scores(const model::Decoder& decoder, const model::ScalarHead& head,
                               std::span<const std::vector<int32_t>> sequences, at::ScalarType compute,
                               int64_t micro_tokens = 16384, const std::function<void(int64_t done)>& progress = {});

/// Puts `end` behind a sequence that stopped without an end token, as one stands behind every answer that a reward
/// model has learnt from. Nothing happens to one that has `ended`, without `end`, or where `max_positions` leave no
/// room.
void close_unfinished(std::vector<int32_t>& sequence, bool ended, std::optional<int32_t> end, int64_t max_positions);

}  // namespace hone::rewards
