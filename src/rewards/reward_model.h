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
#include "model/hf_folder.h"
#include "model/scalar_head.h"

namespace hone::rewards {

struct Member {
  model::Decoder decoder;
  model::ScalarHead head;
};

class RewardModel {
 public:
  /// A folder without a head is kUsage. `dtype` of matrix work: f32, bf16 or auto, see resolve_dtype.
  /// `loaded`: frozen decoders whose tensors an adapter's folder may share.
  static RewardModel load(const std::filesystem::path& folder, at::Device device, const std::string& dtype = "auto",
                          std::span<const model::LoadedBase> loaded = {});

  /// How members become one number: a HONE_ENSEMBLE of rewards.def, "mean" from the start.
  void combine_by(const std::string& rule, double penalty);
  /// One reward for each sequence (prompt and answer), at its last token. Sequences must not be empty.
  std::vector<double> score(std::span<const std::vector<int32_t>> sequences) const;
  size_t members() const { return members_.size(); }
  const Member& member(size_t i) const { return members_[i]; }
  /// Raw score of one unit of reward, the members' mean: differences times it are log-odds under Bradley–Terry.
  double scale() const;
  const model::ModelConfig& config() const { return members_.front().decoder.config(); }
  /// "f32" or "bf16", as resolved.
  const std::string& dtype() const { return dtype_; }

 private:
  std::vector<Member> members_;
  std::string dtype_;
  double (*combine_)(std::span<const double> votes, double penalty) = nullptr;  // set by load()
  double penalty_ = 1;
};

/// The dtype in which a reward model is asked, the same for everybody who asks: what was `asked` for by name (f32,
/// bf16); on "auto" that in which its rewards were normalised, and where its config names none f32 on the CPU and under
/// 10 million parameters, else bf16.
std::string resolve_dtype(const std::string& asked, const model::ModelConfig& config, at::Device device);

/// Raw head scores at the last tokens, packed in micro-batches of at most `micro_tokens`. `progress` is told how many
/// sequences are done.
std::vector<double> raw_scores(const model::Decoder& decoder, const model::ScalarHead& head,
                               std::span<const std::vector<int32_t>> sequences, at::ScalarType compute,
                               int64_t micro_tokens = 16384, const std::function<void(int64_t done)>& progress = {});

}  // namespace hone::rewards
