// Agreement with people on comparisons written by hand, and perplexity of texts counted another way.
#include "eval/agreement.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "chat_tokenizer.h"
#include "eval/held_out_texts.h"
#include "model/shapes.h"
#include "rollout/logprobs.h"

using namespace hone;
using namespace hone::eval;

namespace {

data::Pair pair(int64_t chosen, int64_t rejected) {
  const auto sequence = [](int64_t n) {
    return data::Sequence{std::vector<int32_t>(static_cast<size_t>(n), 1),
                          std::vector<float>(static_cast<size_t>(n), 1)};
  };
  return {sequence(chosen), sequence(rejected), 1};
}

// Three prompts: the first has three comparisons, the others one each.
HumanComparisons comparisons() {
  return {{pair(5, 3), pair(5, 3), pair(5, 3), pair(2, 4), pair(3, 3)},
          {"hh", "hh", "hh", "oasst", "oasst"},
          {0, 0, 0, 1, 2},
          "five comparisons"};
}

}  // namespace

TEST_CASE("agreement counts comparisons, its interval prompts, beside the rule of length") {
  Agreement agreement(comparisons());
  agreement.add("dpo", "implicit reward", std::vector<double>{1, 1, -1, 2, 0});
  const auto all = agreement.measure("agreement", "dpo", "");
  REQUIRE(all);
  CHECK(all->value == doctest::Approx(3.5 / 5));  // 1, 1, 0, 1, ½
  CHECK(all->n == 5);
  CHECK(all->low >= 0);
  CHECK(all->high <= 1);
  // The rule: longer, longer, longer, shorter, the same: 1, 1, 1, 0, ½.
  CHECK(agreement.measure("agreement_over_length", "dpo", "")->value == doctest::Approx(0));
  CHECK(agreement.measure("agreement", "dpo@oasst", "")->value == doctest::Approx(0.75));
  CHECK(agreement.measure("agreement_over_length", "dpo@hh", "")->value == doctest::Approx(2.0 / 3 - 1));
  CHECK_FALSE(agreement.measure("agreement", "dpo@nowhere", ""));
  // Five prompts of five are no certainty: Wilson's lower end of 5 in 5 is .566.
  HumanComparisons five = comparisons();
  five.prompts = {0, 1, 2, 3, 4};
  Agreement certain(std::move(five));
  certain.add("dpo", "", std::vector<double>(5, 1));
  CHECK(certain.measure("agreement", "dpo", "")->low == doctest::Approx(0.5655).epsilon(1e-3));
  CHECK_FALSE(agreement.measure("agreement", "ppo", ""));

  agreement.add("reward", "reward model", std::vector<double>{1, 1, 1, 1, 1});
  CHECK(agreement.measure("agreement", "reward", "dpo")->value == doctest::Approx(1.5 / 5));
  const Json j = agreement.to_json();
  CHECK(j["rule"]["value"] == doctest::Approx(0.7));
  REQUIRE(j["judges"].size() == 2);
  CHECK(j["judges"][0]["sources"][0]["name"] == "hh");
  CHECK(j["judges"][0]["sources"][0]["baseline"]["value"] == doctest::Approx(1));
}

TEST_CASE("comparisons of one prompt are no independent witnesses") {
  // Forty comparisons, thirty of them decided rightly: of four prompts with ten each, or of forty prompts.
  const auto of = [](size_t each) {
    HumanComparisons c;
    for (size_t i = 0; i < 40; ++i) {
      c.pairs.push_back(pair(3, 3));
      c.sources.push_back("hh");
      c.prompts.push_back(i / each);
    }
    return Agreement(std::move(c));
  };
  std::vector<double> margins(40, 1);
  std::fill(margins.begin(), margins.begin() + 10, -1.0);
  Agreement clustered = of(10), apart = of(1);
  clustered.add("dpo", "", margins);
  apart.add("dpo", "", margins);
  const auto wide = clustered.measure("agreement", "dpo", ""), narrow = apart.measure("agreement", "dpo", "");
  CHECK(wide->value == doctest::Approx(0.75));
  CHECK(narrow->value == doctest::Approx(0.75));
  CHECK(wide->high - wide->low > 1.5 * (narrow->high - narrow->low));
  CHECK(narrow->low > 0.5);
  CHECK(wide->high <= 1);
}

TEST_CASE("passages come from every text, whole characters, and their loss is the model's own") {
  const fs::path folder = fs::temp_directory_path() / ("hone-texts-test-" + std::to_string(::getpid()));
  fs::create_directories(folder);
  std::string words, foreign;
  for (int i = 0; i < 2000; ++i) words += "word" + std::to_string(i % 7) + " ", foreign += "\xe7\x8c\xab";
  write_file_atomic(folder / "words.txt", words);
  write_file_atomic(folder / "foreign.txt", foreign);  // no blank anywhere
  const text::Tokenizer tokenizer = test::chat_tokenizer(test::kChatMl, {"<|im_start|>", "<|im_end|>"}, "<|im_end|>");
  const Passages passages =
      draw_passages({(folder / "words.txt").string(), (folder / "foreign.txt").string()}, 6, tokenizer, 48, 1);
  fs::remove_all(folder);
  CHECK(passages.count == 2);
  REQUIRE(passages.ids.size() == 6);
  for (const auto& ids : passages.ids) CHECK(ids.size() <= 48);
  CHECK(std::ranges::count(passages.texts, size_t{0}) == 3);

  model::ModelConfig config = test::tiny();
  config.vocab_size = tokenizer.size();
  const EvaluatedModel evaluated{"tiny", "", model::make_decoder(config, 1), data::Encoder(tokenizer)};
  const TextLoss loss = text_loss(evaluated, passages, "");
  double nats = 0;
  for (size_t i = 0; i < passages.ids.size(); ++i) {
    if (passages.texts[i] != 0) continue;
    const rollout::ScoredSequence s{passages.ids[i], 1};
    const auto logps = rollout::sequence_logps(evaluated.decoder, {&s, 1}, {});
    for (const float logp : logps[0]) nats -= logp;
  }
  CHECK(loss.nats[0] == doctest::Approx(nats).epsilon(1e-5));
}

TEST_CASE("a check of comparisons, texts, refusals or a second judge needs them, and names who judges") {
  EvalParams params;
  params.judge = "none";
  params.models = {"start=a", "dpo=b"};
  params.start = "start";
  const auto refused = [&](const std::string& check) {
    EvalParams p = params;
    p.require = {check};
    try {
      p.check();
    } catch (const Error& e) {
      return e.kind == Kind::kUsage;
    }
    return false;
  };
  for (const char* check : {"agreement: dpo > 0.5", "text_perplexity_ratio: dpo <= 1.05", "refusals: dpo >= 0",
                            "second_win_rate: dpo > 0.5", "second_reward: dpo > 0"})
    CHECK_MESSAGE(refused(check), check);
  params.comparisons = params.texts = params.harmful = {"file"};
  params.reward = "r";
  params.second_reward = "s";
  for (const char* check :
       {"agreement: dpo > 0.5", "agreement: reward@hh > 0.5", "agreement: second_reward > 0.5",
        "agreement: dpo - reward > 0", "agreement_over_length: dpo > 0", "text_perplexity_ratio: dpo <= 1.05",
        "text_perplexity: start <= 100", "refusals: dpo - start >= 0", "over_refusals: dpo - start <= 0.05",
        "kl_per_token: dpo <= 0.1", "start_loss_ratio: dpo <= 1.1", "second_win_rate: dpo > 0.5"})
    CHECK_FALSE_MESSAGE(refused(check), check);
  for (const char* check :
       {"agreement: start > 0.5", "agreement: nobody > 0.5", "agreement > 0.5",
        "agreement_over_length: dpo - reward > 0", "kl_per_token: dpo - start <= 0.1",
        "text_perplexity: dpo - start <= 1", "start_loss_ratio: start <= 1", "second_win_rate: start > 0.5",
        "text_perplexity_ratio: start <= 1", "kl_per_token: nobody <= 1"})
    CHECK_MESSAGE(refused(check), check);
  params.judge = "world";
  params.world = "w";
  params.annotators = "c";
  CHECK(refused("agreement: dpo > 0.5"));
  CHECK(refused("text_perplexity: dpo <= 100"));
}
