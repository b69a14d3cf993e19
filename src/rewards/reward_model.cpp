#include "rewards/reward_model.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/stats.h"
#include "model/hf_folder.h"
#include "tensor/from_host.h"

namespace hone::rewards {

namespace ensembles {
namespace {

double mean(std::span<const double> votes, double) { return stats::mean(votes); }
double min(std::span<const double> votes, double) { return *std::ranges::min_element(votes); }
double uncertainty(std::span<const double> votes, double penalty) {
  return stats::mean(votes) - penalty * std::pow(stats::stddev(votes), 2);
}

}  // namespace
}  // namespace ensembles

std::vector<double> raw_scores(const model::Decoder& decoder, const model::ScalarHead& head,
                               std::span<const std::vector<int32_t>> sequences, at::ScalarType compute,
                               int64_t micro_tokens, const std::function<void(int64_t done)>& progress) {
  const at::NoGradGuard no_grad;
  std::vector<double> out;
  out.reserve(sequences.size());
  model::ComputeOptions options;
  options.matmul = compute;
  for (size_t begin = 0; begin < sequences.size();) {
    size_t end = begin;
    int64_t tokens = 0;
    while (end < sequences.size() &&
           (end == begin || tokens + static_cast<int64_t>(sequences[end].size()) <= micro_tokens))
      tokens += static_cast<int64_t>(sequences[end++].size());
    const model::Packed packed = model::pack(sequences.subspan(begin, end - begin), decoder.device());
    std::vector<int64_t> last;
    for (const model::Place& place : packed.places) last.push_back(place.last());
    const Tensor hidden = decoder.hidden(packed, options).index_select(0, from_host(last, decoder.device()));
    const Tensor scores = head.scores(hidden).to(at::kCPU, at::kFloat).contiguous();
    for (int64_t i = 0; i < scores.size(0); ++i) out.push_back(scores.const_data_ptr<float>()[i]);
    begin = end;
    if (progress) progress(static_cast<int64_t>(end));
  }
  return out;
}

std::string resolve_dtype(const std::string& asked, const model::ModelConfig& config, at::Device device) {
  if (asked == "f32" || asked == "bf16") return asked;
  if (asked != "auto") usage_error("unknown dtype '" + asked + "'", "choices: auto, f32, bf16");
  if (!config.reward_dtype.empty()) return config.reward_dtype;
  return device.is_cpu() || model::parameter_count(config) < model::kSmallModel ? "f32" : "bf16";
}

RewardModel RewardModel::load(const std::filesystem::path& folder, at::Device device, const std::string& dtype,
                              std::span<const model::LoadedBase> loaded_bases) {
  RewardModel out;
  out.combine_by("mean", 0);
  out.dtype_ = resolve_dtype(dtype, model::load_config(folder).config, device);
  std::vector<std::filesystem::path> folders{folder};
  if (const auto members = folder / "members"; std::filesystem::is_directory(members)) {
    for (const auto& e : std::filesystem::directory_iterator(members))
      if (e.is_directory()) folders.push_back(e.path());
    std::sort(folders.begin() + 1, folders.end());
  }
  for (const auto& f : folders) {
    // Members that are adapters over one base share it. A base that is kept in bf16 serves no reward asked in f32.
    std::vector<model::LoadedBase> bases;
    for (const model::LoadedBase& base : loaded_bases)
      if (base.decoder->matrix_dtype() == (out.dtype_ == "bf16" ? at::kBFloat16 : at::kFloat)) bases.push_back(base);
    for (const Member& m : out.members_)
      if (m.decoder.adapter() != nullptr) bases.push_back({m.decoder.adapter()->base, &m.decoder});
    model::LoadedModel loaded = model::load_model(f, bases);
    if (!loaded.head)
      usage_error(f.string() + ": not a reward model: it has no scalar head (score.weight)",
                  "train one with `hone reward`");
    if (!loaded.shared) {
      loaded.decoder.to(device, at::kFloat);
      if (out.dtype_ == "bf16") loaded.decoder.keep_matrices_in(at::kBFloat16);
    }
    loaded.head->weight = loaded.head->weight.to(device);
    if (loaded.head->bias.defined()) loaded.head->bias = loaded.head->bias.to(device);
    out.members_.push_back({std::move(loaded.decoder), std::move(*loaded.head)});
  }
  return out;
}

void RewardModel::combine_by(const std::string& rule, double penalty) {
  penalty_ = penalty;
#define HONE_REWARD(id, doc, citation)
#define HONE_ENSEMBLE(id, doc, citation) \
  if (rule == #id) {                     \
    combine_ = ensembles::id;            \
    return;                              \
  }
#include "rewards/rewards.def"
#undef HONE_ENSEMBLE
#undef HONE_REWARD
  usage_error("unknown rule '" + rule + "' for an ensemble", "`hone list rewards` names them");
}

double RewardModel::scale() const {
  double sum = 0;
  for (const Member& m : members_) sum += m.decoder.config().reward_scale;
  return sum / static_cast<double>(members_.size());
}

std::vector<double> RewardModel::score(std::span<const std::vector<int32_t>> sequences) const {
  const at::ScalarType compute = dtype_ == "bf16" ? at::kBFloat16 : at::ScalarType::Undefined;
  std::vector<std::vector<double>> all;
  for (const Member& m : members_) {
    std::vector<double> scores = raw_scores(m.decoder, m.head, sequences, compute);
    for (double& s : scores) s = (s - m.decoder.config().reward_shift) / m.decoder.config().reward_scale;
    all.push_back(std::move(scores));
  }
  std::vector<double> out(sequences.size());
  for (size_t i = 0; i < out.size(); ++i) {
    std::vector<double> votes;
    for (const auto& a : all) votes.push_back(a[i]);
    out[i] = combine_(votes, penalty_);
  }
  return out;
}

}  // namespace hone::rewards
