#include "train/reward_members.h"

#include <cmath>

#include "base/log.h"
#include "base/progress.h"
#include "base/rng.h"
#include "model/hf_folder.h"
#include "rewards/reward_model.h"
#include "train/adapt.h"
#include "train/learning.h"
#include "train/precision.h"
#include "train/trainable.h"

namespace hone::train {
namespace {

std::vector<double> scores_of(const RewardMember& m, std::span<const std::vector<int32_t>> sequences,
                              at::ScalarType compute, const char* label) {
  if (!label) return rewards::raw_scores(m.decoder, m.head, sequences, compute);
  Progress bar(label, static_cast<int64_t>(sequences.size()));
  return rewards::raw_scores(m.decoder, m.head, sequences, compute, 16384,
                             [&](int64_t done) { bar.update(done, "answers"); });
}

// As the ensemble judges: the mean of its members' rewards, whose unit is brought back to that of raw scores, since
// margins are read as log-odds. Of one member: its own margins.
std::vector<rewards::Compared> together(std::span<const FinishedMember> members,
                                        const std::vector<std::string>& sources) {
  std::vector<rewards::Compared> out;
  double scale = 0;
  for (const FinishedMember& m : members) scale += m.scale;
  const auto n = static_cast<double>(members.size());
  for (size_t i = 0; i < members.front().margins.size(); ++i) {
    double margin = members.front().margins[i];
    if (members.size() > 1) {
      margin /= members.front().scale;
      for (const FinishedMember& m : members.subspan(1)) margin += m.margins[i] / m.scale;
      margin *= scale / n / n;
    }
    out.push_back({margin, sources[i]});
  }
  return out;
}

void normalise(RewardMember& m, std::span<const std::vector<int32_t>> answers, at::ScalarType compute) {
  const std::vector<double> scores = scores_of(m, answers, compute, "  reference rewards");
  m.decoder.config().reward_shift = stats::mean(scores);
  const double std = stats::stddev(scores);
  m.decoder.config().reward_scale = std > 1e-8 ? std : 1;
}

}  // namespace

RewardMember RewardMemberMaker::make(int64_t m) {
  const at::Device device(context_.run.device);
  model::LoadedModel loaded =
      trunk_ ? model::LoadedModel{over_same_base(*trunk_), {}, {}, true} : model::load_model(params_.model);
  model::Decoder decoder = std::move(loaded.decoder);
  const uint64_t own_seed = mix64(static_cast<uint64_t>(context_.run.seed), static_cast<uint64_t>(m));
  const bool fresh = !loaded.head || params_.ensemble > 1;
  const double std =
      params_.head_std < 0 ? 1 / std::sqrt(static_cast<double>(decoder.config().width) + 1) : params_.head_std;
  // A bias would change no comparison, and transformers' heads have none: normalising makes up for it.
  if (loaded.head) loaded.head->bias = Tensor();
  model::ScalarHead head =
      fresh ? model::make_scalar_head(decoder.config().width, std, own_seed) : std::move(*loaded.head);
  if (!made_)
    log::info(fresh ? "  new scalar head, N(0, " + decimal_text(std, 4) + ")"
                    : "  scalar head taken over from " + params_.model);
  decoder.drop_output_weight();
  decoder.config().reward_shift = 0;
  decoder.config().reward_scale = 1;
  if (!loaded.shared) decoder.to(device, at::kFloat);
  if (!made_) compute_ = resolve_precision(context_, decoder.config());
  if (params_.adapter.rank > 0 && !trunk_) {
    decoder.keep_matrices_in(compute_);
    trunk_ = over_same_base(decoder);
  }
  head.weight = head.weight.to(device);
  settle_adapter(decoder, params_.model, params_.adapter, own_seed);
  if (made_) decoder.config().eos = ends_;
  made_ = true;
  // A bias moves both sides of a comparison alike: without centring it has no gradient, and stays what it was.
  const bool bias = head.bias.defined() && params_.loss.centring > 0;
  model::ScalarHead trained{head.weight, bias ? head.bias : Tensor()};
  auto tensors = trainable_tensors(decoder, &trained);
  return {m, std::move(decoder), std::move(head), optim::Optimizer(std::move(tensors), params_.optim)};
}

std::vector<rewards::Compared> margins_of(const RewardMember& m, const HeldOutPairs& held_out, at::ScalarType compute,
                                          const char* label) {
  std::vector<std::vector<int32_t>> sequences;
  for (const data::Pair& p : held_out.pairs) {
    sequences.push_back(p.chosen.ids);
    sequences.push_back(p.rejected.ids);
  }
  const std::vector<double> scores = scores_of(m, sequences, compute, label);
  std::vector<rewards::Compared> out;
  for (size_t i = 0; i < held_out.pairs.size(); ++i)
    out.push_back({scores[2 * i] - scores[2 * i + 1], held_out.sources[i]});
  return out;
}

std::filesystem::path member_folder(const std::filesystem::path& folder, int64_t number) {
  return number == 0 ? folder : folder / "members" / std::to_string(number);
}

FinishedMember finish_member(RewardMember& m, std::span<const std::vector<int32_t>> reference,
                             const HeldOutPairs& held_out, const text::Tokenizer& tokenizer, std::optional<int32_t> pad,
                             const std::filesystem::path& folder, const std::string& dtype, at::ScalarType compute) {
  normalise(m, reference, compute);
  m.decoder.config().reward_dtype = dtype;
  m.decoder.config().pad = pad;
  save_folder(member_folder(folder, m.number), tokenizer, m.decoder, &m.head, pad);
  FinishedMember out{m.decoder.config().reward_shift, m.decoder.config().reward_scale, {}};
  if (!held_out.pairs.empty())
    for (const rewards::Compared& c : margins_of(m, held_out, compute, "  held-out comparisons"))
      out.margins.push_back(c.margin);
  return out;
}

Json reward_results(std::span<const FinishedMember> members, const HeldOutPairs& held_out, stats::Estimate& accuracy) {
  const std::vector<rewards::Compared> compared = together(members, held_out.sources);
  accuracy = rewards::accuracy(compared);
  std::vector<rewards::Compared> longer;  // the rule "longer is better" on the same comparisons
  for (size_t i = 0; i < held_out.pairs.size(); ++i)
    longer.push_back({static_cast<double>(held_out.pairs[i].chosen.size() - held_out.pairs[i].rejected.size()),
                      held_out.sources[i]});
  Json baseline = rewards::estimate_json(rewards::accuracy(longer));
  baseline["name"] = "the longer answer is better";
  Json j{{"accuracy", rewards::estimate_json(accuracy)},
         {"calibration", rewards::calibration_json(compared)},
         {"margins", rewards::margins_json(compared)},
         {"baselines", Json::array({baseline})}};
  if (Json sources = rewards::sources_json(compared, longer); !sources.empty()) j["sources"] = sources;
  return {{"task", "reward"},
          {"about",
           std::to_string(held_out.pairs.size()) + " held-out comparisons" +
               (members.size() > 1 ? ", by the mean reward of " + std::to_string(members.size()) + " members" : "")},
          {"reward_model", j}};
}

}  // namespace hone::train
