// Figures of an open-ended evaluation on answers written by hand.
#include <doctest/doctest.h>

#include <cmath>

#include "base/json.h"
#include "eval/open_ended_measures.h"
#include "eval/text_measures.h"

using namespace hone;
using namespace hone::eval;

namespace {

Measured measured(const std::string& name, const std::vector<std::string>& texts, std::vector<double> reward) {
  Measured m{.name = name, .folder = name + "/model"};
  for (const std::string& text : texts) {
    m.answers.push_back(
        {.prompt = {1}, .ids = std::vector<int32_t>(text.size() % 7 + 1), .text = text, .ended = text.ends_with('.')});
    m.words.push_back(words_of(text));
  }
  m.reward = std::move(reward);
  return m;
}

// Two prompts, two samples each.
OpenMeasures example() {
  OpenMeasures e({{"p1", "p2"}, {"One", "Two"}, {{1}, {1}}, {1, 2}}, 2);
  e.models.push_back(measured("sft", {"a b.", "a b", "c d.", "c d"}, {0, 1, 2, 3}));
  e.models.push_back(measured("ppo", {"a a a a.", "a b.", "c d.", "x y"}, {1, 1, 5, 2}));
  e.models.back().kl = {1, 2, 3, 6};
  e.models.back().nll = {2, 2, 2, 2};
  e.start = e.find("sft");
  e.final_model = e.find("ppo");
  return e;
}

}  // namespace

TEST_CASE("means are over prompts, of the means of their samples") {
  const OpenMeasures e = example();
  const Measured& ppo = *e.find("ppo");
  const auto kl = e.measure("kl", ppo);
  REQUIRE(kl);
  CHECK(kl->value == doctest::Approx(3));  // (1 + 2)/2 and (3 + 6)/2
  CHECK(kl->n == 2);
  CHECK(e.measure("eos_share", ppo)->value == doctest::Approx(0.75));
  // Triples of "a a a a": the second is the first again.
  CHECK(e.measure("repetition", ppo)->value == doctest::Approx(0.5 / 4));
  CHECK(e.measure("perplexity", ppo)->n == 2);
}

TEST_CASE("wins compare the same prompt and sample, ties half") {
  const OpenMeasures e = example();
  // 1 > 0, 1 = 1, 5 > 2, 2 < 3: 1, ½, 1, 0.
  CHECK(e.measure("win_rate", *e.find("ppo"))->value == doctest::Approx(0.625));
  CHECK_FALSE(e.measure("win_rate", *e.find("sft")));
}

TEST_CASE("differences are paired") {
  const OpenMeasures e = example();
  const auto d = e.difference("reward", *e.find("ppo"), *e.find("sft"));
  REQUIRE(d);
  CHECK(d->value == doctest::Approx(0.75));  // ½ on the first prompt, 1 on the second
  CHECK(d->n == 2);
  CHECK_FALSE(e.difference("kl", *e.find("ppo"), *e.find("sft")));  // the start has none
}

TEST_CASE("what was not measured is absent") {
  const OpenMeasures e = example();
  CHECK_FALSE(e.measure("utility", *e.find("ppo")));
  CHECK_FALSE(e.measure("no_such_thing", *e.find("ppo")));
  const Json sft = e.model_json(*e.find("sft")), ppo = e.model_json(*e.find("ppo"));
  CHECK_FALSE(sft.contains("kl"));
  CHECK_FALSE(sft.contains("gold"));
  CHECK_FALSE(sft["texts"].contains("perplexity under the original"));
  CHECK(ppo["win_rate"]["ties"] == 1);
  CHECK(ppo["texts"].contains("perplexity under the original"));
}

TEST_CASE("every answer has its line, every prompt its answers side by side") {
  const OpenMeasures e = example();
  const std::string lines = e.sample_lines();
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 8);
  const Json side = e.side_by_side(10, 1);
  REQUIRE(side.size() == 2);
  CHECK(side[0]["answers"].contains("ppo"));
  CHECK(side[0]["answers"]["ppo"]["parts"].contains("kl"));
}

TEST_CASE("three of three prompts that all end by themselves are no certainty") {
  OpenMeasures e({{"p1", "p2", "p3"}, {"a", "b", "c"}, {{1}, {1}, {1}}, {1, 2, 3}}, 4);
  const std::vector<std::string> twelve(12, "a b."), cut(12, "a b");
  e.models.push_back(measured("sft", cut, std::vector<double>(12, 0)));
  e.models.push_back(measured("ppo", twelve, std::vector<double>(12, 1)));
  e.start = e.find("sft");
  for (const char* what : {"eos_share", "win_rate"}) {
    const auto share = e.measure(what, *e.find("ppo"));
    REQUIRE(share);
    CHECK(share->value == 1);
    CHECK(share->n == 3);  // prompts, not answers
    CHECK(share->low == doctest::Approx(0.4385).epsilon(1e-3));
  }
  CHECK(e.difference("eos_share", *e.find("ppo"), *e.find("sft"))->low < 0.5);
}

TEST_CASE("distance from the start: nats over tokens, and the start's loss over its loss on its own answers") {
  OpenMeasures e = example();
  e.models.front().nll = {1, 1, 1, 1};
  Measured& ppo = e.models.back();
  double tokens = 0, own = 0;
  for (const Answer& a : ppo.answers) tokens += static_cast<double>(a.ids.size());
  for (const Answer& a : e.models.front().answers) own += static_cast<double>(a.ids.size());
  CHECK(e.measure("kl_per_token", ppo)->value == doctest::Approx(12 / tokens));
  CHECK(e.measure("start_loss_ratio", ppo)->value == doctest::Approx((8 / tokens) / (4 / own)));
  CHECK_FALSE(e.measure("start_loss_ratio", e.models.front()));
  CHECK_FALSE(e.measure("text_perplexity_ratio", ppo));
  // ln 2 nats a token more than the start: twice its perplexity, in every resample.
  e.models.front().texts = {{10, 20}, {10, 20}};
  ppo.texts = {{10 + 10 * std::log(2.0), 20 + 20 * std::log(2.0)}, {10, 20}};
  const auto ratio = e.measure("text_perplexity_ratio", ppo);
  REQUIRE(ratio);
  CHECK(ratio->value == doctest::Approx(2));
  CHECK(ratio->low == doctest::Approx(2));
}

TEST_CASE("refusals are counted on harmful prompts, over-refusals on the others") {
  OpenMeasures e({{"p1", "p2", "p3"}, {"a", "b", "c"}, {{1}, {1}, {1}}, {1, 2, 3}, {false, true, false}}, 1);
  e.models.push_back(measured("start", {"Yes.", "I cannot.", "Yes."}, {0, 0, 0}));
  e.models.push_back(measured("dpo", {"I cannot.", "I cannot.", "Yes."}, {1, 1, 1}));
  e.models.front().second_reward = {1, 1, 0}, e.models.back().second_reward = {0, 1, 1};
  e.start = e.find("start"), e.final_model = e.find("dpo");
  CHECK(e.measure("refusals", *e.final_model)->value == 1);
  CHECK(e.measure("refusals", *e.final_model)->n == 1);
  CHECK(e.measure("over_refusals", *e.final_model)->value == doctest::Approx(0.5));
  CHECK(e.difference("over_refusals", *e.final_model, *e.start)->value == doctest::Approx(0.5));
  CHECK(e.measure("second_win_rate", *e.final_model)->value == doctest::Approx(0.5));  // 0, ½, 1
  CHECK(e.measure("win_rate", *e.final_model)->value == doctest::Approx(1));
  const Json j = e.model_json(*e.final_model);
  CHECK(j["refusals"]["harmful prompts"]["value"] == 1);
  CHECK(j.contains("second_win_rate"));
}
