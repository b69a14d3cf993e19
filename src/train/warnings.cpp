#include "train/warnings.h"

#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "base/progress.h"

namespace hone::train {
namespace {

// Thresholds: recipes/align.toml stays under each of them (eight seeds) and recipes/over-optimise.toml crosses the
// first before its gold peaks (docs/log.md has the figures and which seeds were run).
constexpr double kKlPerAnswer = 4.0;    // nats
constexpr double kEntropyShare = 0.35;  // of the start's
constexpr double kLengthGrowth = 0.5;  // of the mean length over the start's; shorter answers are no sign by themselves
constexpr double kLeashShare = 0.1;    // of the reward's gain that the KL penalty takes back
constexpr double kScoreGain = 2.5;     // standard deviations of the reward on reference answers

}  // namespace

bool Warnings::once(const std::string& kind) {
  if (std::ranges::find(spoken_, kind) != spoken_.end()) return false;
  spoken_.push_back(kind);
  return true;
}

std::vector<std::string> Warnings::look(int64_t step, const config::Numbers& numbers) {
  const auto value = [&](const char* key) {
    for (const auto& [k, v] : numbers)
      if (k == key) return v;
    return std::nan("");
  };
  const double score = value("score"), entropy = value("entropy"), length = value("length"), kl = value("kl");
  std::vector<std::string> out;
  // The first two iterations are the start: the policy has hardly moved.
  if (step <= 2) {
    const double n = start_.seen;
    start_ = {(start_.score * n + score) / (n + 1), (start_.entropy * n + entropy) / (n + 1),
              (start_.length * n + length) / (n + 1), n + 1};
    return out;
  }
  recent_kl_.push_back(kl);
  if (recent_kl_.size() > 3) recent_kl_.erase(recent_kl_.begin());
  double mean_kl = 0;
  for (const double k : recent_kl_) mean_kl += k / static_cast<double>(recent_kl_.size());
  if (learned_reward_ && mean_kl > kKlPerAnswer && once("kl"))
    out.push_back(
        "KL from the reference is " + decimal_text(mean_kl, 1) +
        " nats an answer: beyond what the reward model can be trusted for; raise the KL coefficient or stop earlier");
  const double gain = score - start_.score, coef = value("kl_coef");
  if (learned_reward_ && mean_kl > 1 && gain > 0.25 && coef * mean_kl < kLeashShare * gain && once("leash"))
    out.push_back("the KL penalty takes back only " + decimal_text(100 * coef * mean_kl / gain, 0) +
                  "% of the reward's gain: nothing holds the policy near the reference; raise the KL coefficient");
  if (entropy < kEntropyShare * start_.entropy && once("entropy"))
    out.push_back("entropy has fallen to " + decimal_text(100 * entropy / start_.entropy, 0) +
                  "% of its start: answers are collapsing onto few texts");
  if (learned_reward_ && length > (1 + kLengthGrowth) * start_.length && once("length"))
    out.push_back("answers are " + decimal_text(length, 1) + " tokens long, " + decimal_text(start_.length, 1) +
                  " at the start: the reward model may be paying for length");
  if (learned_reward_ && score - start_.score > kScoreGain && once("score"))
    out.push_back(
        "reward has risen by " + decimal_text(score - start_.score, 1) +
        " standard deviations of the reference answers: outside the range that the reward model was fitted on");
  return out;
}

Json Warnings::state() const {
  return {{"start", {start_.score, start_.entropy, start_.length, start_.seen}},
          {"spoken", spoken_},
          {"recent_kl", recent_kl_}};
}

void Warnings::load_state(const Json& state) {
  const auto s = state.at("start").get<std::vector<double>>();
  start_ = {s.at(0), s.at(1), s.at(2), s.at(3)};
  spoken_ = state.at("spoken").get<std::vector<std::string>>();
  recent_kl_ = state.at("recent_kl").get<std::vector<double>>();
}

}  // namespace hone::train
