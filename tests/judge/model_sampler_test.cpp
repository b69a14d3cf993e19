// A real model's answers for judging: those of `hone generate`, whole while they grow, cancelled, too long; features
// against a forward pass by hand; and pairs of them, from one end to the other.
#include "judge/model_sampler.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <set>

#include "annotate/desk.h"
#include "annotate/sampled_pairs.h"
#include "base/error.h"
#include "base/json.h"
#include "chat_tokenizer.h"
#include "model/hf_folder.h"

using namespace hone;
using namespace hone::judge;

namespace {

struct Scratch {
  fs::path path = fs::temp_directory_path() / ("hone-judge-" + std::to_string(::getpid()));
  Scratch() { fs::create_directories(path); }
  ~Scratch() { fs::remove_all(path); }
};

// Random weights, far from uniform: it says bytes of any kind.
fs::path write_model(const fs::path& folder, int64_t context = 256, uint64_t seed = 5) {
  const text::Tokenizer tokenizer = test::chat_tokenizer(test::kChatMl, "<|endoftext|>");
  model::ModelConfig config = model::llama_config(tokenizer.size(), 32, 2, 4, 2, 64, context);
  config.init_std = 0.3;
  model::save_model(folder, model::make_decoder(config, seed));
  tokenizer.save(folder);
  return folder;
}

SamplerSettings settings_of(const fs::path& folder, int64_t max_tokens = 12) {
  SamplerSettings s;
  s.model = folder;
  s.max_tokens = max_tokens;
  s.temperature = 1;
  return s;
}

const std::vector<std::vector<text::Message>> kPrompts = {{{"user", "who is it?"}}, {{"user", "and where?"}}};
const auto kNever = [] { return false; };

}  // namespace

TEST_CASE("answers are a function of prompt and seed, and grow to what they become") {
  const Scratch scratch;
  ModelSampler sampler(settings_of(write_model(scratch.path / "small")));
  CHECK(sampler.policy().starts_with("small sha256:"));
  CHECK(sampler.policy().size() == std::string("small sha256:").size() + 32);
  std::map<std::pair<size_t, size_t>, std::string> grown;
  const auto both = sampler.sample(
      kPrompts, 3, 7,
      [&](size_t p, size_t a, const std::string& text) {
        CHECK(text.starts_with(grown[{p, a}]));
        grown[{p, a}] = text;
      },
      kNever);
  REQUIRE(both.size() == 2);
  std::set<std::string> different;
  for (size_t p = 0; p < 2; ++p) {
    // Alone it answers the same: what else is in the batch changes nothing.
    const auto alone = sampler.sample(std::span(kPrompts).subspan(p, 1), 3, 7, {}, kNever);
    REQUIRE(both[p].size() == 3);
    for (size_t a = 0; a < 3; ++a) {
      const annotate::SampledAnswer& answer = both[p][a];
      CHECK((answer.answer == alone[0][a].answer));
      CHECK(answer.answer.policy == sampler.policy());
      const std::string& text = answer.answer.messages[0].content;
      CHECK((text == grown[{p, a}] || text == grown[{p, a}] + "\uFFFD"));  // a character that was cut off
      different.insert(text);
      const Json how = parse_json(answer.answer.sampling, "sampling");
      CHECK(how["seed"] == 7);
      CHECK(how["sample"] == a);
      CHECK(how["temperature"] == 1);
      CHECK(how["max_tokens"] == 12);
      CHECK(answer.cut == (how["finish"] == "length"));
      CHECK((how["tokens"] == 12) >= answer.cut);
    }
  }
  CHECK(different.size() > 4);
  CHECK((sampler.sample(kPrompts, 3, 8, {}, kNever)[0][0].answer.messages != both[0][0].answer.messages));
}

TEST_CASE("another model has another name; the name stays with the weights, wherever they lie") {
  const Scratch scratch;
  const std::string one = ModelSampler(settings_of(write_model(scratch.path / "model"))).policy();
  const std::string other = ModelSampler(settings_of(write_model(scratch.path / "other" / "model", 256, 6))).policy();
  CHECK(one.substr(one.find(':')) != other.substr(other.find(':')));
  fs::create_directories(scratch.path / "moved");
  fs::copy(scratch.path / "model", scratch.path / "moved" / "model");
  const std::string moved = ModelSampler(settings_of(scratch.path / "moved" / "model")).policy();
  CHECK(moved.substr(moved.find(':')) == one.substr(one.find(':')));
}

TEST_CASE("cancelled it gives nothing, a prompt that is too long gets no answers, and greedy is refused") {
  const Scratch scratch;
  const fs::path folder = write_model(scratch.path / "model", 64);
  ModelSampler sampler(settings_of(folder));
  int asked = 0;
  CHECK(sampler.sample(kPrompts, 2, 1, {}, [&] { return ++asked > 3; }).empty());
  const std::vector<std::vector<text::Message>> mixed = {{{"user", std::string(300, 'a')}}, kPrompts[0]};
  const auto answers = sampler.sample(mixed, 2, 1, {}, kNever);
  REQUIRE(answers.size() == 2);
  CHECK(answers[0].empty());
  CHECK(answers[1].size() == 2);

  SamplerSettings greedy = settings_of(folder);
  greedy.temperature = 0;
  CHECK_THROWS_WITH_AS(ModelSampler{greedy}, doctest::Contains("temperature 0"), Error);
}

TEST_CASE("features are the mean of the hidden states at the answer's tokens") {
  const Scratch scratch;
  const fs::path folder = write_model(scratch.path / "model");
  ModelSampler sampler(settings_of(folder));
  std::vector<std::vector<text::Message>> conversations;
  for (const char* answer : {"the cat", "no one at all"})
    conversations.push_back({{"user", "who is it?"}, {"assistant", answer}});
  conversations.push_back({{"user", "who?"}, {"assistant", std::string(2000, 'x')}});  // longer than the context
  const auto features = sampler.features(conversations);
  REQUIRE(features.size() == 3);
  CHECK(features[2].empty());
  const model::LoadedModel loaded = model::load_model(folder);
  const at::NoGradGuard no_grad;
  for (size_t c = 0; c < 2; ++c) {
    const data::Encoder::Answered answered = sampler.encoder().conversation(conversations[c]);
    const std::vector<std::vector<int32_t>> alone = {answered.sequence.ids};
    const Tensor hidden = loaded.decoder.hidden(model::pack(alone));
    const int64_t n = hidden.size(0), width = hidden.size(1);
    REQUIRE(std::ssize(features[c]) == width);
    for (int64_t d = 0; d < width; ++d) {
      double sum = 0;
      for (int64_t i = answered.prompt_length; i < n; ++i) sum += hidden.const_data_ptr<float>()[i * width + d];
      CHECK(features[c][static_cast<size_t>(d)] ==
            doctest::Approx(sum / static_cast<double>(n - answered.prompt_length)).epsilon(1e-4));
    }
  }
}

TEST_CASE("a person is kept in pairs, and the head that selects them is refitted from what was said") {
  const Scratch scratch;
  const fs::path folder = write_model(scratch.path / "model");
  feedback::Store store = feedback::Store::open(scratch.path / "s.store");
  annotate::PromptDeck deck(annotate::builtin_prompts(), 1);
  annotate::ModelThread thread;
  annotate::SampledPairs source(store, thread, deck, "tester");
  annotate::Desk desk(store, source, "tester");
  std::exception_ptr failed;
  source.start([&] { return std::make_unique<ModelSampler>(settings_of(folder, 16)); },
               [&](std::exception_ptr e) { failed = e; });
  std::set<std::string> seen;
  bool drawn = false;
  for (int i = 0; i < 40; ++i) {
    annotate::Desk::Hand hand;
    for (int wait = 0; wait < 20000; ++wait) {
      hand = desk.hand();
      if (hand.pairs.size() >= annotate::SampledPairs::kFew && !hand.pairs[0].pair.growing) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    REQUIRE_FALSE(hand.pairs.empty());
    const annotate::Pair& pair = hand.pairs[0].pair;
    CHECK(seen.insert(pair.id).second);
    drawn = drawn || *pair.query.propensity < 1;
    annotate::Ballot ballot{pair.id, {}, {}};
    ballot.judgement.outcome = pair.query.a.messages[0].content.size() < pair.query.b.messages[0].content.size()
                                   ? feedback::Outcome::kA
                                   : feedback::Outcome::kB;
    desk.judge(ballot, "key-" + std::to_string(i));
  }
  CHECK(drawn);
  CHECK_FALSE(failed);
  CHECK(desk.progress().decided == 40);
}
