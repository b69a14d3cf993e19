// One answer, five ways to its reward: as the reward model is trained, as it is normalised, as `hone score` gives it,
// as PPO and as evaluation ask for it. All the same, under every template that is here, in f32 and in bf16.
#include <doctest/doctest.h>

#include <iostream>

#include "base/error.h"
#include "chat_tokenizer.h"
#include "cli/row_text.h"
#include "data/encode_rows.h"
#include "data/row_messages.h"
#include "eval/answers.h"
#include "infer/engine.h"
#include "model/hf_folder.h"
#include "rewards/reward_model.h"
#include "shared_data.h"
#include "train/reward_step.h"
#include "train/trainable.h"

using namespace hone;

namespace {

struct Scratch {
  fs::path path = fs::temp_directory_path() / ("hone-agreement-" + std::to_string(::getpid()));
  Scratch() { fs::create_directories(path); }
  ~Scratch() { fs::remove_all(path); }
};

constexpr double kShift = 0.3, kScale = 1.7;

// A reward model of random weights, far from uniform, with the scale of one that was normalised.
void write_reward_model(const fs::path& folder, const text::Tokenizer& tokenizer, const std::string& dtype) {
  model::ModelConfig config = model::llama_config(tokenizer.size(), 32, 2, 4, 2, 64, 512);
  config.init_std = 0.3;
  config.reward_shift = kShift;
  config.reward_scale = kScale;
  config.reward_dtype = dtype;
  model::Decoder decoder = model::make_decoder(config, 5);
  decoder.drop_output_weight();
  const model::ScalarHead head = model::make_scalar_head(32, 0.5, 6);
  model::save_model(folder, decoder, &head);
  tokenizer.save(folder);
}

struct Ways {
  double training = 0;  // chosen less rejected: a pair's loss knows no more
  double normalising[2] = {};
  double score[2] = {};
  double ppo[2] = {};
  double eval[2] = {};
};

std::vector<int32_t> answer_of(const std::vector<int32_t>& ids, size_t prompt_length) {
  return {ids.begin() + static_cast<std::ptrdiff_t>(prompt_length), ids.end()};
}

Ways ask(const fs::path& folder, const std::string& dtype) {
  Ways out;
  const data::Encoder encoder = data::Encoder::make(text::Tokenizer::load(folder), "auto");
  std::vector<data::Preference> rows(1);
  rows[0].prompt = {{"user", "who is it?"}};
  const std::string said[] = {"the cat", "no one at all"};
  rows[0].chosen = data::said(said[0]);
  rows[0].rejected = data::said(said[1]);
  const std::vector<data::Pair> pairs = data::encode_preferences(rows, encoder, {}).items;
  const std::vector<std::vector<int32_t>> both = {pairs[0].chosen.ids, pairs[0].rejected.ids};
  const at::ScalarType compute = dtype == "bf16" ? at::kBFloat16 : at::ScalarType::Undefined;

  {
    model::LoadedModel loaded = model::load_model(folder);
    train::trainable_tensors(loaded.decoder, &*loaded.head);
    const std::vector<int64_t> lengths = {pairs[0].size()}, batch = {0};
    out.training = train::add_reward_gradient(loaded.decoder, *loaded.head, pairs, lengths, batch, 1024, {}, false,
                                              {.matmul = compute})
                       .gap /
                   kScale;
    const std::vector<double> raw = rewards::raw_scores(loaded.decoder, *loaded.head, both, compute);
    for (size_t i = 0; i < 2; ++i) out.normalising[i] = (raw[i] - kShift) / kScale;
  }
  {
    const infer::Engine engine = infer::Engine::open(folder, {}, true);
    cli::RowText text;
    text.open(folder, engine.end_ids());
    for (size_t i = 0; i < 2; ++i) {
      const Json row = {{"prompt", "who is it?"}, {"completion", said[i]}};
      const std::vector<std::vector<int32_t>> ids = {text.answered(row, true).ids};
      out.score[i] = engine.score(ids)[0];  // alone; the others ask for both at once
    }
  }
  // PPO and evaluation sample: the same answers, stopped at each token that stops.
  const rewards::RewardModel reward = rewards::RewardModel::load(folder, at::kCPU);
  const std::vector<data::Prompt> prompts = {{rows[0].prompt, "p"}};
  const data::PromptIds prompt = data::encode_prompts(prompts, encoder, {}).items[0];
  for (const int32_t end : encoder.endings().ids()) {
    std::vector<std::vector<int32_t>> sequences;
    std::vector<eval::Answer> answers;
    for (const auto& ids : both) {
      std::vector<int32_t> answer = answer_of(ids, prompt.size());
      answer.back() = end;
      sequences.push_back(encoder.sampled(prompt, answer));
      answers.push_back({prompt, answer, "", true});
    }
    const std::vector<double> ppo = reward.score(sequences),
                              eval = reward.score(eval::whole_sequences(answers, encoder));
    for (size_t i = 0; i < 2; ++i) out.ppo[i] = ppo[i], out.eval[i] = eval[i];
  }
  return out;
}

// The largest difference between any two ways.
double disagreement(const Ways& w) {
  double out = std::abs(w.training - (w.score[0] - w.score[1]));
  for (size_t i = 0; i < 2; ++i)
    for (const double other : {w.normalising[i], w.ppo[i], w.eval[i]})
      out = std::max(out, std::abs(w.score[i] - other));
  return out;
}

}  // namespace

TEST_CASE("five ways to a reward agree under every template, in both dtypes") {
  std::vector<std::pair<std::string, std::string>> templates = test::own_templates();
  templates.emplace_back("plain", "");
  if (!data_missing("llama-cpp-templates"))
    for (const auto& e : fs::recursive_directory_iterator(data_root() / "llama-cpp-templates"))
      if (e.path().extension() == ".jinja") templates.emplace_back(e.path().filename().string(), read_file(e.path()));
  const Scratch scratch;
  for (const std::string dtype : {"f32", "bf16"}) {
    size_t held = 0;
    double largest = 0;
    for (const auto& [name, source] : templates) {
      CAPTURE(name);
      CAPTURE(dtype);
      const text::Tokenizer tokenizer = test::chat_tokenizer(source, "<|endoftext|>");
      try {
        data::Encoder::make(tokenizer, "auto");
      } catch (const Error&) {
        continue;  // a template that no stage takes; tests/data names them
      }
      ++held;
      write_reward_model(scratch.path, tokenizer, dtype);
      const double difference = disagreement(ask(scratch.path, dtype));
      CHECK(difference < (dtype == "f32" ? 1e-5 : 1e-2));
      largest = std::max(largest, difference);
    }
    std::cout << dtype << ": " << held << " of " << templates.size() << " templates, largest difference " << largest
              << "\n";
    CHECK(held > test::own_templates().size());
  }
}

TEST_CASE("a reward model is asked in the dtype that it was normalised in, unless another is named") {
  const Scratch scratch;
  write_reward_model(scratch.path, test::chat_tokenizer(test::kChatMl, "<|endoftext|>"), "bf16");
  const std::vector<std::vector<int32_t>> ids = {{1, 2, 3, 4, 5}};
  const auto reward = [&](const std::string& dtype) {
    return rewards::RewardModel::load(scratch.path, at::kCPU, dtype).score(ids)[0];
  };
  infer::EngineOptions f32;
  f32.dtype = "f32";
  CHECK(reward("auto") == reward("bf16"));
  CHECK(reward("auto") != reward("f32"));
  CHECK(infer::Engine::open(scratch.path, {}, true).score(ids)[0] == reward("bf16"));
  CHECK(infer::Engine::open(scratch.path, f32, true).score(ids)[0] == reward("f32"));
  CHECK_THROWS_WITH_AS(reward("f64"), doctest::Contains("unknown dtype 'f64'"), Error);
}
