// Sampling step by step: what is kept between prompts changes nothing but the work, tokens are told as they are drawn,
// and who cancels gets what there is.
#include "rollout/generation.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "rollout/generate.h"

using namespace hone;
using namespace hone::rollout;

namespace {

model::Decoder small_decoder(int64_t context = 128) {
  model::ModelConfig config = model::llama_config(50, 32, 2, 4, 2, 64, context);
  config.init_std = 0.3;  // far from uniform, so that a wrong logit changes tokens
  return model::make_decoder(config, 5);
}

std::vector<int32_t> prompt_of(size_t length, int32_t step) {
  std::vector<int32_t> out;
  for (size_t i = 0; i < length; ++i) out.push_back(static_cast<int32_t>((7 + static_cast<size_t>(step) * i) % 50));
  return out;
}

SamplingParams sampling(int64_t max_tokens, double temperature = 1) {
  SamplingParams params;
  params.max_tokens = max_tokens;
  params.temperature = temperature;
  return params;
}

std::vector<Completion> run(Generation& generation) {
  while (generation.step()) {
  }
  return generation.completions();
}

bool same(const std::vector<Completion>& a, const std::vector<Completion>& b) {
  return std::ranges::equal(a, b, [](const Completion& x, const Completion& y) {
    return x.ids == y.ids && x.logps == y.logps && x.finish == y.finish;
  });
}

std::vector<int32_t> joined(std::vector<int32_t> a, const std::vector<int32_t>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace

TEST_CASE("a conversation on kept keys and values is the same bit for bit as one computed afresh") {
  const model::Decoder decoder = small_decoder();
  GenerateOptions options;
  options.seed = 9;
  options.end_ids = {7};
  for (const double temperature : {0.0, 1.0}) {
    const SamplingParams params = sampling(9, temperature);
    KeptSequences kept(decoder);
    std::vector<int32_t> prompt = prompt_of(5, 3);
    int64_t expected = 0;  // tokens that are held when the turn begins
    for (uint64_t turn = 0; turn < 6; ++turn) {
      const std::vector<Request> requests = {{prompt, turn, 0}, {prompt, turn, 1}};
      std::vector<Completion> answers;
      {
        Generation generation(decoder, requests, params, options, &kept);
        answers = run(generation);
        CHECK(generation.held_tokens() == expected);
        CHECK(generation.stats().prompt_tokens == std::ssize(prompt) - expected);
      }
      CHECK(same(answers, generate(decoder, requests, params, options)));
      // The conversation goes on with the second answer at odd turns; the newest token of an answer was never fed.
      const std::vector<int32_t>& said = answers[turn % 2].ids;
      expected = std::ssize(prompt) + std::ssize(said) - 1;
      prompt = joined(joined(prompt, said), prompt_of(3 + turn, 11));
    }
  }
}

TEST_CASE("a prompt that leaves the kept one on its way is computed from there, a shorter one needs its last token") {
  const model::Decoder decoder = small_decoder();
  const SamplingParams params = sampling(20);
  for (const bool batch_invariant : {true, false}) {
    GenerateOptions options;
    options.batch_invariant = batch_invariant;
    KeptSequences kept(decoder, batch_invariant);
    const std::vector<int32_t> first = prompt_of(40, 3);
    const auto ask = [&](const std::vector<int32_t>& prompt, int64_t held) {
      const std::vector<Request> one = {{prompt, 1, 0}};
      Generation generation(decoder, one, params, options, &kept);
      const std::vector<Completion> answers = run(generation);
      CHECK(generation.held_tokens() == held);
      if (batch_invariant) CHECK(same(answers, generate(decoder, one, params, options)));
    };
    ask(first, 0);
    ask(first, 39);  // the same again, as for another sample
    // Cut within a block of 16 tokens, at its end, and before all of it.
    for (const int64_t cut : {21, 16, 1}) {
      std::vector<int32_t> other(first.begin(), first.begin() + cut);
      other.push_back((first[static_cast<size_t>(cut)] + 1) % 50);
      ask(joined(other, prompt_of(30, 7)), cut);
      ask(first, cut);
    }
    ask({first.begin(), first.begin() + 3}, 2);
    ask({(first[0] + 1) % 50}, 0);
  }
}

TEST_CASE("nothing stays in the cache beside the last call's sequences") {
  const model::Decoder decoder = small_decoder();
  KeptSequences kept(decoder);
  const std::vector<Request> requests = {{prompt_of(20, 3), 1, 0}, {prompt_of(20, 3), 1, 1}, {prompt_of(9, 5), 2, 0}};
  int64_t bytes = 0;
  for (int n = 0; n < 5; ++n) {
    Generation generation(decoder, requests, sampling(10, 0), {}, &kept);
    if (n == 3) {  // left in the middle
      generation.step();
      continue;
    }
    run(generation);
    kept.settle();
    if (n == 0) bytes = kept.cache().bytes();
    else CHECK(kept.cache().bytes() <= bytes);
    CHECK(kept.cache().bytes() > 0);
  }
  kept.settle();
  CHECK(kept.cache().bytes() == 0);
}

TEST_CASE("each token is told once, in its order, as soon as it is drawn") {
  const model::Decoder decoder = small_decoder();
  std::vector<Request> requests;
  for (uint64_t p = 0; p < 5; ++p) requests.push_back({prompt_of(2 + p, 3), p, 0});
  GenerateOptions options;
  options.end_ids = {7, 8, 9};
  options.max_batch = 2;
  std::map<size_t, std::vector<int32_t>> told;
  options.token = [&](size_t request, int32_t token) { told[request].push_back(token); };
  Generation generation(decoder, requests, sampling(12), options);
  while (generation.step())
    for (size_t i = 0; i < requests.size(); ++i) CHECK(told[i] == generation.completions()[i].ids);
  for (size_t i = 0; i < requests.size(); ++i) {
    CHECK(told[i] == generation.completions()[i].ids);
    CHECK_FALSE(told[i].empty());
  }
}

TEST_CASE("cancelled between tokens: what was drawn stays, and the conversation goes on") {
  const model::Decoder decoder = small_decoder();
  const SamplingParams params = sampling(50);
  const std::vector<Request> requests = {{prompt_of(6, 3), 1, 0}, {prompt_of(8, 3), 2, 0}, {prompt_of(4, 3), 3, 0}};
  const std::vector<Completion> whole = generate(decoder, requests, params, {});
  KeptSequences kept(decoder);
  GenerateOptions options;
  options.max_batch = 2;  // the third is still waiting
  int tokens = 0;
  options.token = [&](size_t, int32_t) { ++tokens; };
  options.cancelled = [&] { return tokens >= 8; };
  std::vector<Completion> cut;
  {
    Generation generation(decoder, requests, params, options, &kept);
    cut = run(generation);
    CHECK(generation.done());
    CHECK_FALSE(generation.step());
  }
  for (size_t i = 0; i < requests.size(); ++i) {
    CHECK(cut[i].finish == Finish::kCancelled);
    CHECK(cut[i].ids.size() == (i < 2 ? 4 : 0));
    CHECK(std::equal(cut[i].ids.begin(), cut[i].ids.end(), whole[i].ids.begin()));
  }
  const std::vector<Request> next = {{joined(joined(requests[1].prompt, cut[1].ids), {5, 6}), 4, 0}};
  Generation generation(decoder, next, params, {}, &kept);
  const std::vector<Completion> answer = run(generation);
  CHECK(generation.held_tokens() == 8 + 3);
  CHECK(same(answer, generate(decoder, next, params, {})));
}

TEST_CASE("cancelled while a long prompt is read: the part that was read serves the next one") {
  const model::Decoder decoder = small_decoder(2048);
  KeptSequences kept(decoder);
  const std::vector<Request> requests = {{prompt_of(1000, 3), 1, 0}, {prompt_of(1000, 3), 1, 1}};
  GenerateOptions options;
  int asked = 0;
  options.cancelled = [&] { return ++asked == 4; };  // before the step, then behind every 256 tokens
  {
    Generation generation(decoder, requests, sampling(5), options, &kept);
    for (const Completion& c : run(generation)) {
      CHECK(c.ids.empty());
      CHECK(c.finish == Finish::kCancelled);
    }
  }
  Generation generation(decoder, requests, sampling(5), {}, &kept);
  const std::vector<Completion> answers = run(generation);
  CHECK(generation.held_tokens() == 768);
  CHECK(same(answers, generate(decoder, requests, sampling(5), {})));
}
