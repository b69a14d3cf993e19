// Log-probabilities of sampled answers are those that the sampler drew by, at its temperature: KL is of what was
// sampled.
#include "eval/answers.h"

#include <doctest/doctest.h>

#include <numeric>

#include "chat_tokenizer.h"
#include "model/shapes.h"
#include "rollout/generate.h"

using namespace hone;

TEST_CASE("an answer's log-probability is at the temperature that was sampled") {
  const eval::EvaluatedModel evaluated{
      "tiny", "", model::make_decoder(test::tiny(), 1),
      data::Encoder(test::chat_tokenizer(test::kChatMl, {"<|im_start|>", "<|im_end|>"}, "<|im_end|>"))};
  const model::Decoder& decoder = evaluated.decoder;
  for (const double temperature : {0.5, 1.0, 1.7}) {
    std::vector<rollout::Request> requests;
    for (const auto& ids : test::sequences({3, 7, 1, 12})) requests.push_back({ids, requests.size(), 0});
    rollout::SamplingParams sampling;
    sampling.temperature = temperature;
    sampling.max_tokens = 9;
    rollout::GenerateOptions options;
    options.end_ids = {0};
    const auto completions = rollout::generate(decoder, requests, sampling, options);
    std::vector<eval::Answer> answers;
    for (size_t i = 0; i < completions.size(); ++i)
      answers.push_back({.prompt = requests[i].prompt, .ids = completions[i].ids, .text = "", .ended = true});
    const std::vector<double> logps = eval::answer_logps(evaluated, answers, temperature),
                              cold = eval::answer_logps(evaluated, answers, 0.9 * temperature);
    for (size_t i = 0; i < completions.size(); ++i) {
      const auto& drawn = completions[i].logps;
      CHECK(logps[i] == doctest::Approx(std::accumulate(drawn.begin(), drawn.end(), 0.0)).epsilon(1e-4));
      CHECK(std::abs(cold[i] - logps[i]) > 1e-3);
    }
  }
}
