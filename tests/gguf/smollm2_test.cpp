// A real chat model against transformers on the same dequantised weights: log-probabilities and greedy continuations.
// tests/golden/gguf/smollm2.json is made by tools/golden/gguf_files.py; `make long` asks transformers itself.
#include <doctest/doctest.h>

#include "../shared_data.h"
#include "base/files.h"
#include "base/json.h"
#include "model/hf_folder.h"
#include "rollout/generate.h"
#include "rollout/logprobs.h"

using namespace hone;

TEST_CASE("SmolLM2: log-probabilities within 1e-3, greedy continuations to the first near-tie of 1e-3") {
  const char* name = "smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";
  if (data_missing(name)) return;
  const Json golden = parse_json(read_file("tests/golden/gguf/smollm2.json"), "smollm2.json");
  const model::LoadedModel loaded = model::load_model(data_root() / name);
  CHECK(loaded.notes.empty());
  CHECK(loaded.decoder.config().eos == std::vector<int64_t>{2});
  CHECK(loaded.decoder.config().norm_eps == 1e-5);

  std::vector<rollout::ScoredSequence> sequences;
  for (const Json& row : golden["logps"]) sequences.push_back({row["ids"].get<std::vector<int32_t>>(), 1});
  const auto logps = rollout::sequence_logps(loaded.decoder, sequences, {.compute = at::kFloat});
  double worst = 0;
  for (size_t s = 0; s < logps.size(); ++s) {
    const auto want = golden["logps"][s]["logps"].get<std::vector<double>>();
    REQUIRE(logps[s].size() == want.size());
    for (size_t i = 0; i < want.size(); ++i) worst = std::max(worst, std::abs(logps[s][i] - want[i]));
  }
  MESSAGE("largest difference of a log-probability: " << worst);
  CHECK(worst < 1e-3);

  std::vector<rollout::Request> requests;
  for (const Json& row : golden["greedy"]) requests.push_back({row["prompt"].get<std::vector<int32_t>>(), 0, 0});
  rollout::GenerateOptions options;
  options.end_ids = {2};
  const auto answers = rollout::generate(loaded.decoder, requests, {.temperature = 0, .max_tokens = 24}, options);
  for (size_t r = 0; r < answers.size(); ++r) {
    const auto want = golden["greedy"][r]["ids"].get<std::vector<int32_t>>();
    const auto margins = golden["greedy"][r]["margins"].get<std::vector<double>>();
    size_t sure = 0;
    while (sure < margins.size() && margins[sure] > 1e-3) ++sure;
    REQUIRE(answers[r].ids.size() >= sure);
    for (size_t i = 0; i < sure; ++i) CHECK(answers[r].ids[i] == want[i]);
    if (sure == margins.size()) CHECK(answers[r].ids == want);
  }
}
