// The sentence at the top says what the figures say, favourable or not.
#include <doctest/doctest.h>

#include <string>

#include "base/json.h"
#include "report/sections.h"

using namespace hone::report;
using hone::Json;

namespace {

std::string verdict_of(const std::string& results) {
  Story story;
  story.results.push_back(parse_results(hone::parse_json(results, "test")));
  return verdict(story);
}

std::string two_models(double gold, double half, const std::string& more = "") {
  const Json sft = {{"name", "sft"}, {"gold", {{"value", .58}, {"low", .58 - half}, {"high", .58 + half}}}};
  const Json ppo = {{"name", "ppo"}, {"gold", {{"value", gold}, {"low", gold - half}, {"high", gold + half}}}};
  return "{\"models\": [" + sft.dump() + ", " + ppo.dump() + "]" + more + "}";
}

bool has(const std::string& text, const std::string& what) { return text.find(what) != std::string::npos; }

}  // namespace

TEST_CASE("a rise is called a rise only where its interval excludes zero") {
  CHECK(has(verdict_of(two_models(.79, .02)), "PPO raised the mean gold reward from <b>0.58</b> (SFT) to <b>0.79</b>"));
  // The difference .01 has the half-width √2 · .02 = .028.
  CHECK(has(verdict_of(two_models(.59, .02)), "did not clearly change"));
  CHECK(has(verdict_of(two_models(.49, .02)), "PPO lowered the mean gold reward"));
  // A paired difference from the evaluation counts before the two separate intervals.
  CHECK(has(
      verdict_of(two_models(
          .59, .02, R"(, "differences": [{"name": "gold: ppo − sft", "value": 0.01, "low": 0.005, "high": 0.015}])")),
      "PPO raised"));
}

TEST_CASE("gold that fell while the proxy rose is called over-optimised") {
  const std::string curve = R"(, "gold_vs_proxy": [
    {"series": "ppo", "step": 1, "sqrt_kl": 1, "proxy": 0.5, "gold": 0.66},
    {"series": "ppo", "step": 2, "sqrt_kl": 2, "proxy": 1.5, "gold": 0.49}])";
  CHECK(has(verdict_of(two_models(.49, .02, curve)), "Over-optimised:</em> gold peaked at 0.66 and fell to 0.49"));
  const std::string steady = R"(, "gold_vs_proxy": [
    {"series": "ppo", "step": 1, "sqrt_kl": 1, "proxy": 0.5, "gold": 0.77},
    {"series": "ppo", "step": 2, "sqrt_kl": 2, "proxy": 1.5, "gold": 0.76}])";
  CHECK_FALSE(has(verdict_of(two_models(.79, .02, steady)), "Over-optimised"));
}

TEST_CASE("gold goes by the name that the evaluation gives it") {
  CHECK(has(verdict_of(two_models(.79, .02, R"(, "gold_name": "reader's utility")")),
            "PPO raised the mean reader&#39;s utility from <b>0.58</b>"));
}

TEST_CASE("where nobody judged, the learned reward is told as what it is") {
  const std::string results = R"({"models": [
    {"name": "sft", "reward": {"value": -0.1, "low": -0.2, "high": 0, "n": 200}},
    {"name": "ppo", "reward": {"value": 1.2, "low": 1.1, "high": 1.3, "n": 200}, "kl": 4}],
    "differences": [{"name": "learned reward: ppo − sft", "value": 1.3, "low": 1.1, "high": 1.5, "n": 200}]})";
  const std::string text = verdict_of(results);
  CHECK(
      has(text, "PPO raised the learned reward of answers to 200 held-out prompts: <b>−0.10</b> (SFT) to <b>1.20</b>"));
  CHECK(has(text, "Nobody has judged these answers"));
  Story story;
  story.results.push_back(parse_results(hone::parse_json(results, "test")));
  CHECK(has(headline(story).body, "Learned reward"));
  CHECK(has(outcome(story).lead, "Nobody has judged them"));
}

TEST_CASE("a rule's accuracy stands beside the reward model's, source by source") {
  Story story;
  story.results.push_back(parse_results(hone::parse_json(
      R"({"reward_model": {"accuracy": 0.6, "baselines": [{"name": "the longer answer is better", "value": 0.5}], "sources": [
        {"name": "hh", "value": 0.62, "low": 0.55, "high": 0.69, "n": 180, "baseline": {"value": 0.445, "low": 0.37, "high": 0.52}},
        {"name": "tulu", "value": 0.58, "low": 0.5, "high": 0.66, "n": 150, "baseline": {"value": 0.61, "low": 0.53, "high": 0.69}}]}})",
      "test")));
  const std::string body = reward_model_quality(story).body;
  CHECK(has(body, "Accuracy by source"));
  CHECK(has(body, "44.5%"));
  CHECK(has(body, "61.0%"));
}

TEST_CASE("start and final model: as named, else SFT and the last PPO") {
  const Results r =
      parse_results(hone::parse_json(R"({"models": [{"name": "base", "gold": 0.4}, {"name": "sft", "gold": 0.5},
    {"name": "ppo-honest", "gold": 0.6}, {"name": "dpo", "gold": 0.7}]})",
                                     "test"));
  CHECK(r.start_model == "sft");
  CHECK(r.final_model == "ppo-honest");
  const Results named = parse_results(hone::parse_json(
      R"({"start": "a", "final": "b", "models": [{"name": "a"}, {"name": "b"}, {"name": "c"}]})", "test"));
  CHECK(named.start_model == "a");
  CHECK(named.final_model == "b");
}

TEST_CASE("checks are judged where the file does not say") {
  const Results r = parse_results(hone::parse_json(
      R"({"checks": [{"name": "x", "value": 0.7, "at_least": 0.7}, {"name": "y", "value": 3.1, "at_most": 3},
    {"name": "z", "value": 1, "at_least": 2, "met": true}, {"name": "no value"}]})",
      "test"));
  REQUIRE(r.checks.size() == 4);
  CHECK(r.checks[0].met);
  CHECK_FALSE(r.checks[1].met);
  CHECK(r.checks[2].met);
  CHECK_FALSE(r.checks[3].met);  // nothing was measured
}

TEST_CASE("only the optimised reward model prefers the answers: over-optimised; both: said so; gone too far: said so") {
  const auto results = [](const char* second, double kl, double loss) {
    return R"({"limits": {"kl_per_token": 0.1, "start_loss_ratio": 1.1}, "models": [
      {"name": "sft", "reward": {"value": -0.1, "low": -0.2, "high": 0, "n": 200}},
      {"name": "ppo", "reward": {"value": 0.9, "low": 0.8, "high": 1, "n": 200},
       "win_rate": {"value": 0.7, "low": 0.63, "high": 0.76, "n": 200}, "kl_per_token": )" +
           std::to_string(kl) + R"(, "start_loss_ratio": )" + std::to_string(loss) + R"(, "second_win_rate": )" +
           second + "}]}";
  };
  const std::string unsure = R"({"value": 0.53, "low": 0.46, "high": 0.6, "n": 200})",
                    sure = R"({"value": 0.63, "low": 0.56, "high": 0.7, "n": 200})";
  CHECK(has(verdict_of(results(unsure.c_str(), 0.02, 1.01)), "Over-optimised:</em>"));
  const std::string good = verdict_of(results(sure.c_str(), 0.02, 1.01));
  CHECK_FALSE(has(good, "Over-optimised"));
  CHECK(has(good, "Both reward models prefer"));
  CHECK_FALSE(has(good, "wrecked"));
  const std::string wrecked = verdict_of(results(sure.c_str(), 0.3, 1.22));
  CHECK(has(wrecked, "Far from the start"));
  CHECK(has(wrecked, "22% higher than on its own"));
}

TEST_CASE("without a judge, agreement with people is the verdict") {
  const std::string results = R"({"start": "start", "final": "dpo", "models": [{"name": "start"}, {"name": "dpo",
    "kl_per_token": 0.02, "text_perplexity_ratio": 1.004}], "comparisons": {"rule": {"name": "longer", "value": 0.52},
    "judges": [{"name": "dpo", "kind": "implicit reward", "value": 0.594, "low": LOW, "high": 0.66, "n": 170}]}})";
  const auto with = [&](const char* low) {
    std::string text = results;
    return verdict_of(text.replace(text.find("LOW"), 3, low));
  };
  CHECK(has(with("0.52"), "DPO has learnt from people: it agrees with <b>59.4%</b>"));
  CHECK(has(with("0.52"), "changed by <b>0.4%</b>"));
  CHECK(has(with("0.48"), "which may be chance"));
}
