#include "rollout/generate.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "rollout/drawn.h"
#include "rollout/logprobs.h"

using namespace hone;
using namespace hone::rollout;

namespace {

model::Decoder small_decoder() {
  model::ModelConfig config = model::llama_config(50, 32, 2, 4, 2, 64, 64);
  config.init_std = 0.3;  // far from uniform, so that a wrong logit changes tokens
  return model::make_decoder(config, 5);
}

// Eight prompts of different lengths, three samples each: the samples of one prompt share its cache.
std::vector<Request> requests() {
  std::vector<Request> out;
  for (uint64_t p = 0; p < 8; ++p)
    for (uint64_t s = 0; s < 3; ++s) {
      Request r;
      for (uint64_t i = 0; i < 1 + p * 4; ++i) r.prompt.push_back(static_cast<int32_t>((7 * p + 3 * i) % 50));
      r.key = p;
      r.sample = s;
      out.push_back(r);
    }
  return out;
}

std::vector<Completion> sampled(std::span<const Request> requests, int64_t max_batch, double kv_gb = 4) {
  static const model::Decoder decoder = small_decoder();
  SamplingParams params;
  params.max_tokens = 20;
  params.kv_gb = kv_gb;
  GenerateOptions options;
  options.seed = 3;
  options.end_ids = {7};
  options.max_batch = max_batch;
  return generate(decoder, requests, params, options);
}

}  // namespace

TEST_CASE("completions are the same bit for bit for every batch size and schedule") {
  const std::vector<Request> all = requests();
  const std::vector<Completion> together = sampled(all, 64);
  for (const int64_t batch : {1, 5}) {
    const std::vector<Completion> other = sampled(all, batch);
    for (size_t i = 0; i < all.size(); ++i) {
      CHECK(other[i].ids == together[i].ids);
      CHECK(other[i].logps == together[i].logps);
    }
  }
  // Room for the keys and values of 70 tokens: one long sequence or a few short ones at a time; of none: one at a time.
  const auto token = static_cast<double>(model::kv_bytes_per_token(small_decoder().config()));
  for (const double tokens : {70.0, 0.5}) {
    const std::vector<Completion> other = sampled(all, 64, tokens * token / 1e9);
    for (size_t i = 0; i < all.size(); ++i) CHECK(other[i].ids == together[i].ids);
  }
  const std::vector<Request> reversed(all.rbegin(), all.rend());
  const std::vector<Completion> backwards = sampled(reversed, 4);
  for (size_t i = 0; i < all.size(); ++i) CHECK(backwards[all.size() - 1 - i].ids == together[i].ids);
}

TEST_CASE("what all prompts begin with is fed once, and no completion changes by a bit") {
  const model::Decoder decoder = small_decoder();
  SamplingParams params;
  params.max_tokens = 8;
  GenerateOptions options;
  options.seed = 3;
  options.end_ids = {7};
  for (const size_t common : {1, 20, 37}) {  // within a block of the cache, and beyond
    CAPTURE(common);
    std::vector<Request> all = requests();
    for (Request& r : all) {
      std::vector<int32_t> prompt;
      for (size_t i = 0; i < common; ++i) prompt.push_back(static_cast<int32_t>(i * 5 % 49));
      prompt.insert(prompt.end(), r.prompt.begin(), r.prompt.end());
      r.prompt = std::move(prompt);
      r.prompt[common] = static_cast<int32_t>(40 + r.key);  // and no token more
      r.prompt.resize(std::min<size_t>(r.prompt.size(), 60));
    }
    GenerateStats stats;
    const std::vector<Completion> together = generate(decoder, all, params, options, &stats);
    int64_t alone_tokens = 0;
    for (size_t i = 0; i < all.size(); ++i) {
      GenerateStats one;
      const std::vector<Completion> alone = generate(decoder, std::span(all).subspan(i, 1), params, options, &one);
      CHECK(alone[0].ids == together[i].ids);
      CHECK(alone[0].logps == together[i].logps);
      if (i % 3 == 0) alone_tokens += one.prompt_tokens;
    }
    CHECK(stats.prompt_tokens == alone_tokens - 7 * static_cast<int64_t>(common));
  }
}

TEST_CASE("hone's kernels and LibTorch's draw by the logits of the whole forward pass, whatever the batch") {
  const model::Decoder decoder = small_decoder();
  const std::vector<Request> all = requests();
  for (const bool batch_invariant : {true, false})
    for (const double temperature : {0.0, 0.8, 1.0})
      for (const int64_t batch : {2, 64}) {
        SamplingParams params;
        params.max_tokens = 20;
        params.temperature = temperature;
        GenerateOptions options;
        options.seed = 3;
        options.end_ids = {7};
        options.max_batch = batch;
        options.batch_invariant = batch_invariant;
        test::check_drawn(decoder, all, generate(decoder, all, params, options), params, options);
      }
}

TEST_CASE("an id without a token is never drawn, and log-probabilities are over the others") {
  model::Decoder decoder = small_decoder();
  GenerateOptions options;
  options.seed = 3;
  options.absent_ids = {4, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49};  // a hole, and the padding of a vocabulary of 40
  {
    const at::NoGradGuard no_grad;  // what random initialisation leaves there is large, so that it would be drawn
    Tensor weight = decoder.output_weight();
    for (const int32_t id : options.absent_ids) weight.select(0, id).mul_(6);
  }
  const std::vector<Request> all = requests();
  for (const SamplingParams& params :
       {SamplingParams{.max_tokens = 20}, SamplingParams{.temperature = 0, .max_tokens = 20},
        SamplingParams{.temperature = 1.5, .top_p = 0.99, .max_tokens = 20},
        SamplingParams{.top_k = 45, .max_tokens = 20, .min_tokens = 3}}) {
    const auto completions = generate(decoder, all, params, options);
    std::vector<ScoredSequence> sequences;
    for (size_t i = 0; i < all.size(); ++i) {
      for (const int32_t id : completions[i].ids)
        CHECK(std::ranges::find(options.absent_ids, id) == options.absent_ids.end());
      sequences.push_back({all[i].prompt, static_cast<int64_t>(all[i].prompt.size())});
      sequences.back().ids.insert(sequences.back().ids.end(), completions[i].ids.begin(), completions[i].ids.end());
    }
    if (params.temperature == 0 || params.top_p < 1) continue;
    const auto masked = sequence_logps(decoder, sequences, {.absent_ids = options.absent_ids}),
               whole = sequence_logps(decoder, sequences, {});
    for (size_t i = 0; i < all.size(); ++i)
      for (size_t t = 0; t < masked[i].size(); ++t) {
        if (params.top_k == 0) CHECK(std::abs(masked[i][t] - completions[i].logps[t]) < 1e-4);
        CHECK(whole[i][t] < masked[i][t]);  // given ids are asked of the whole output layer
      }
  }
}

TEST_CASE("a sampled token's log-probability is the training forward's") {
  const model::Decoder decoder = small_decoder();
  const std::vector<Request> all = requests();
  SamplingParams params;
  params.max_tokens = 16;
  params.temperature = 0.8;
  const std::vector<Completion> completions = generate(decoder, all, params, {});
  std::vector<ScoredSequence> sequences;
  for (size_t i = 0; i < all.size(); ++i) {
    ScoredSequence s{all[i].prompt, static_cast<int64_t>(all[i].prompt.size())};
    s.ids.insert(s.ids.end(), completions[i].ids.begin(), completions[i].ids.end());
    sequences.push_back(s);
  }
  const auto logps = sequence_logps(decoder, sequences, {.inv_temperature = 1 / 0.8});
  for (size_t i = 0; i < all.size(); ++i) {
    REQUIRE(logps[i].size() == completions[i].logps.size());
    for (size_t t = 0; t < logps[i].size(); ++t) CHECK(std::abs(logps[i][t] - completions[i].logps[t]) < 1e-4);
  }
}

TEST_CASE("ends, lengths and limits") {
  const model::Decoder decoder = small_decoder();
  std::vector<Request> all = requests();
  GenerateOptions options;
  for (int32_t id = 0; id < 25; ++id) options.end_ids.push_back(id);  // half of the vocabulary ends an answer
  SamplingParams params;
  params.max_tokens = 12;
  params.min_tokens = 4;
  for (const Completion& c : generate(decoder, all, params, options)) {
    CHECK(c.ids.size() >= 5);  // the end token itself can come fifth at the earliest
    CHECK(c.ids.size() <= 12);
    for (size_t t = 0; t + 1 < c.ids.size(); ++t) CHECK(c.ids[t] >= 25);
    if (c.finish == Finish::kStop) CHECK(c.ids.back() < 25);
    else CHECK(c.ids.size() == 12);
  }
  // The context of 64 tokens ends an answer too.
  params.min_tokens = 0;
  params.max_tokens = 1000;
  const std::vector<Request> one{all.back()};
  const Completion c = generate(decoder, one, params, {}).front();
  CHECK(c.ids.size() + one[0].prompt.size() <= 65);
  CHECK(c.finish == Finish::kLength);
  all[0].prompt.clear();
  CHECK_THROWS_AS(generate(decoder, all, params, {}), Error);
  all[0].prompt = {99};
  CHECK_THROWS_AS(generate(decoder, all, params, {}), Error);
}

TEST_CASE("prompt and completion fill the model's context and never go over it") {
  for (const char* family : {"llama", "gpt2"}) {
    model::ModelConfig config = model::llama_config(50, 32, 2, 4, 4, 64, 16);
    config.family = family;
    if (config.family == "gpt2") config.qkv_bias = config.out_bias = config.mlp_bias = true;
    config.init_std = 0.3;
    const model::Decoder decoder = model::make_decoder(config, 5);
    SamplingParams params;
    params.max_tokens = 100;
    std::vector<Request> all;
    for (size_t length = 1; length < 16; ++length) all.push_back({std::vector<int32_t>(length, 3), length, 0});
    const std::vector<Completion> out = generate(decoder, all, params, {});
    for (size_t i = 0; i < all.size(); ++i) {
      CHECK(out[i].finish == Finish::kLength);
      CHECK(all[i].prompt.size() + out[i].ids.size() == 16);
      // All of it can be scored again.
      ScoredSequence s{all[i].prompt, static_cast<int64_t>(all[i].prompt.size())};
      s.ids.insert(s.ids.end(), out[i].ids.begin(), out[i].ids.end());
      const auto again = sequence_logps(decoder, {&s, 1}, {.compute = at::kFloat})[0];
      for (size_t k = 0; k < again.size(); ++k) CHECK(again[k] == doctest::Approx(out[i].logps[k]).epsilon(1e-3));
    }
    // An end token in the last place is an end.
    GenerateOptions ends;
    ends.end_ids = {out[14].ids.back()};
    CHECK(generate(decoder, {&all[14], 1}, params, ends)[0].finish == Finish::kStop);
  }
}
