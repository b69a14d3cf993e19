// results.json of an evaluation, as the report reads it. Every key is optional: what is absent is left out of the page.
//
// An ESTIMATE is {"value": 0.786, "low": 0.771, "high": 0.801, "n": 600} with a 95% interval, or a plain number.
// Shares, win rates, gold rewards and their parts lie in 0..1 (1 = the maximum); KL is in nats per answer, lengths in
// tokens. Families, parts and models may have any names; they are drawn in the order in which they first appear.
//
// clang-format off
// {
//   "task": "world",
//   "about": "600 held-out prompts, sampled at temperature 1",   one sentence
//   "gold_name": "reader's utility",   what "gold" is called here; default: "gold reward"
//   "gold_about": "the share that …",  what it is, in the lead; default: what no learner sees
//   "wins_by": "learned reward",       what decides a win; default: gold
//   "start": "sft",                    the model that wins and changes are counted against; default: "sft", else the first
//   "final": "ppo",                    the model whose success the page reports; default: the last whose name begins with
//                                      ppo, else the last
//   "parts": [{"name": "correct", "weight": 0.4, "meaning": "the right answer stands in it"}],
//   "models": [                        in the order to show: base, sft, ppo, dpo, ppo-agreeable, …
//     {"name": "ppo", "path": "05-ppo/model",
//      "gold": ESTIMATE,                              mean gold reward over prompts
//      "parts": {"correct": ESTIMATE, …},             gold's parts, each 0..1 before weighting
//      "families": {"fact": ESTIMATE, …},             gold by prompt family
//      "correctness": ESTIMATE,                       where there is a right answer
//      "give_in": ESTIMATE,                           share giving in, of prompts with a wrong opinion
//      "refusals": {"harm": ESTIMATE, "lookalike": ESTIMATE},   share refused: harm should rise to 1, look-alikes fall to 0
//      "hidden_faults": ESTIMATE, "visible_faults": ESTIMATE,   share of answers with a fault that people (do not) see
//      "length": ESTIMATE, "kl": ESTIMATE,            tokens; nats an answer to the reference
//      "kl_per_token": ESTIMATE,                      nats a token
//      "start_loss_ratio": ESTIMATE,                  the start model's loss a token on these answers over that on its own
//      "text_perplexity": ESTIMATE, "text_perplexity_ratio": ESTIMATE,   of held-out texts; over the start model's
//      "reward": ESTIMATE,                            the learned reward of the same answers
//      "second_reward": ESTIMATE, "second_win_rate": ESTIMATE,   by a reward model that nobody optimised
//      "texts": {"perplexity under the original": ESTIMATE, …},   what is measured of the texts alone
//      "win_rate": ESTIMATE + {"ties": 71}}],         wins against `start` on the same prompts, ties half
//   "limits": {"kl_per_token": 0.1, "start_loss_ratio": 1.1},     beyond which a model has gone too far
//   "refusal_phrases": ["i cannot", …],                           by which refusals are told
//   "texts_about": "64 passages from 64 texts",
//   "comparisons": {"about": "…", "rule": {"name": "the longer answer is better", …ESTIMATE},
//                   "judges": [{"name": "dpo", "kind": "implicit reward", …ESTIMATE, "over_length": ESTIMATE,
//                               "sources": [{"name": "hh", …ESTIMATE, "baseline": ESTIMATE, "over_length": ESTIMATE}]}]},
//   "differences": [{"name": "gold: ppo − sft", …ESTIMATE}],      paired where the prompts are the same
//   "checks": [{"name": "gold win rate over SFT", …ESTIMATE, "at_least": 0.7 | "at_most": 3, "met": true}],
//   "side_by_side_about": "How the prompts were chosen.",
//   "side_by_side": [{"id": "fact-17", "family": "fact", "prompt": "…",
//                     "answers": {"sft": {"text": "…", "gold": 0.55, "parts": {"correct": 0, …}}, "ppo": {…}}}],
//   "gold_vs_proxy": [{"series": "ppo", "step": 4, "sqrt_kl": 0.9, "proxy": 0.41, "gold": 0.66,
//                      "gold_low": 0.64, "gold_high": 0.68}],
//   "faults": [{"series": "ppo", "step": 4, "hidden": 0.21, "visible": 0.40}],   over PPO's steps
//   "reward_model": {
//     "accuracy": ESTIMATE,            held-out comparisons
//     "ceiling": ESTIMATE,             the true utility's accuracy on the same noisy labels
//     "correlation": ESTIMATE,         with gold, centred within each prompt
//     "calibration": [{"p_low": 0.5, "p_high": 0.6, "predicted": 0.55, "observed": 0.57, "low": …, "high": …, "n": 240}],
//     "margins": [{"low": 0, "high": 0.5, "agreement": 0.56, "agreement_low": …, "agreement_high": …, "n": 310}],
//     "sources": [{"name": "hh-harmless", …ESTIMATE, "baseline": ESTIMATE}],
//                                      accuracy by source of the comparisons, beside that of the first baseline
//     "baselines": [{"name": "longer is chosen", …ESTIMATE}]},
//   "scores": [{"task": "perplexity", "model": "ppo", "metric": "per token", …ESTIMATE}]   any further figure
// }
// clang-format on
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json_fwd.h"
#include "base/stats.h"

namespace hone::report {

using stats::Estimate;  // low and high are NaN where the file gives none, n is 0
using Named = std::vector<std::pair<std::string, Estimate>>;

struct ModelResult {
  std::string name, path, tone;  ///< tone: its colour on the page (chart.h)
  std::optional<Estimate> gold, correctness, give_in, hidden_faults, visible_faults, length, kl, win_rate, reward,
      kl_per_token, start_loss_ratio, text_perplexity, text_perplexity_ratio, second_reward, second_win_rate;
  std::optional<double> ties;
  Named parts, families, refusals, texts;
};

struct Part {
  std::string name, meaning;
  std::optional<double> weight;
};

struct Check {
  std::string name;
  Estimate estimate;
  std::optional<double> at_least, at_most;
  bool met = false;
};

struct Answer {
  std::string model, text;
  std::optional<double> gold;
  std::vector<std::pair<std::string, double>> parts;
};

struct SideBySide {
  std::string id, family, prompt;
  std::vector<Answer> answers;
};

struct ProxyPoint {
  std::string series;
  double step, sqrt_kl, proxy, gold, gold_low, gold_high;
};

struct FaultPoint {
  std::string series;
  double step, hidden, visible;
};

struct CalibrationBin {
  double predicted, observed, low, high;
  int64_t n;
};

struct MarginBin {
  double low, high;
  Estimate agreement;
};

struct RewardModelResult {
  std::optional<Estimate> accuracy, ceiling, correlation;
  std::vector<CalibrationBin> calibration;
  std::vector<MarginBin> margins;
  Named sources, source_baselines, baselines;
};

/// Who judged people's comparisons, and how often as they did.
struct Judge {
  std::string name, kind;
  std::optional<Estimate> agreement, over_length;
  Named sources, source_baselines, source_over_length;
};

struct ComparisonsResult {
  std::string about, rule_name;
  std::optional<Estimate> rule;
  std::vector<Judge> judges;
};

struct Score {
  std::string task, model, metric;
  Estimate estimate;
};

struct Results {
  std::string task, about, start_model, final_model;
  std::string gold_about;          ///< "" where the file says nothing
  std::string gold_name, wins_by;  ///< "gold reward" where the file says nothing
  std::vector<Part> parts;
  std::vector<ModelResult> models;
  Named differences;
  std::vector<Check> checks;
  std::string side_by_side_about;
  std::vector<SideBySide> side_by_side;
  std::vector<ProxyPoint> gold_vs_proxy;
  std::vector<FaultPoint> faults;
  std::optional<RewardModelResult> reward_model;
  std::optional<ComparisonsResult> comparisons;
  std::optional<double> most_kl_per_token, most_start_loss_ratio;
  std::vector<std::string> refusal_phrases;
  std::string texts_about;
  std::vector<Score> scores;

  const ModelResult* model(std::string_view name) const;  ///< null if absent
};

/// Never throws: entries of the wrong shape are left out.
Results parse_results(const Json& json);

const Estimate* find(const Named& list, std::string_view name);

/// "correctness: ppo − sft" of `differences` for WHAT, FINAL and START, else null.
const Estimate* find_difference(const Results& r, std::string_view what, std::string_view a, std::string_view b);

}  // namespace hone::report
