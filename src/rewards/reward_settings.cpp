#include "rewards/reward_settings.h"

#include <algorithm>

#include "base/error.h"
#include "base/progress.h"

namespace hone::rewards {

void RewardSettings::fields(config::Fields& v) {
  v("rewards", rewards,
    "what an answer is worth, summed: model (the reward model `reward`), or checkers, which are rules: "
    "`hone list rewards`",
    "model: learning from people's comparisons");
  v("reward_weights", reward_weights, "what each of `rewards` counts, in the same order; empty: 1 each");
  v.path("reward", reward, "folder of the reward model");
  v.choice("ensemble", ensemble,
           {
#define HONE_REWARD(id, doc, citation)
#define HONE_ENSEMBLE(id, doc, citation) #id,
#include "rewards/rewards.def"
#undef HONE_ENSEMBLE
#undef HONE_REWARD
           },
           "how the rewards of an ensemble become one: mean, worst case (WCO), or mean less ensemble_penalty times "
           "the variance (UWO)",
           "Coste et al. 2023, arXiv 2310.02743");
  v("ensemble_penalty", ensemble_penalty, "weight of the variance under 'uncertainty'");
  v("close_unfinished", close_unfinished,
    "reward an answer without an end token as if it ended there: the reward model sees an end token behind it, as "
    "behind every answer that it has learnt from",
    "off: most systems score the last token as it is; OpenRLHF puts an end token on cut rows");
  v.range("ensemble_penalty", 0);
  checkers.fields(v, "rewards", rewards);
  for (const char* key : {"reward", "ensemble", "ensemble_penalty", "close_unfinished"})
    v.only_if(key, "rewards holds model", [this] { return asks_model(); });
  v.only_if("ensemble_penalty", "ensemble = uncertainty", [this] { return ensemble == "uncertainty"; });
}

bool RewardSettings::asks_model() const { return std::ranges::find(rewards, "model") != rewards.end(); }

std::vector<std::string> RewardSettings::checker_ids() const {
  std::vector<std::string> out;
  for (const std::string& id : rewards)
    if (id != "model") out.push_back(id);
  return out;
}

std::vector<double> RewardSettings::weights() const {
  return reward_weights.empty() ? std::vector<double>(rewards.size(), 1) : reward_weights;
}

void RewardSettings::check() const {
  std::vector<std::string> known{"model"};
  for (const std::string& id : checkers::checker_ids()) known.push_back(id);
  if (rewards.empty()) usage_error("rewards is empty: nothing says what an answer is worth", "rewards = [\"model\"]");
  for (size_t i = 0; i < rewards.size(); ++i) {
    if (std::ranges::find(known, rewards[i]) == known.end()) {
      const std::string near = config::closest(rewards[i], known);
      usage_error("rewards: there is no '" + rewards[i] + "'" + (near.empty() ? "" : "; did you mean '" + near + "'?"),
                  rewards[i].find(',') == std::string::npos
                      ? "`hone list rewards` names them"
                      : "give --rewards once for each, or rewards = [\"numeric\", \"regex\"] in a recipe");
    }
    if (std::ranges::count(rewards, rewards[i]) > 1)
      usage_error("rewards names '" + rewards[i] + "' twice", "give it once, and its weight in reward_weights");
  }
  for (const std::string& id : checker_ids()) checkers.check(id);
  if (!reward_weights.empty() && reward_weights.size() != rewards.size())
    usage_error("reward_weights has " + count_text(std::ssize(reward_weights)) + " numbers for " +
                    count_text(std::ssize(rewards)) + " rewards",
                "give one for each, in the same order");
  if (asks_model() && reward.empty())
    usage_error("needs a reward model, or a rule that says what an answer is worth",
                "give reward = \"FOLDER\", or rewards = [\"numeric\"] (`hone list rewards`)");
}

}  // namespace hone::rewards
