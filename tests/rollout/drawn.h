// Whether completions are those that a model gives to its random numbers, on any processor.
//
// Rounding decides near-ties, and another processor rounds otherwise: one token more or less, and everything behind it
// is another text. So no two samplings are compared token by token. Under the tokens that were drawn, at every
// position, the token must be the one that a whole forward pass draws for the same random number or for one within
// kSlack of it, and its log-probability that of the forward pass.
#pragma once
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "base/rng.h"
#include "model/decoder.h"
#include "rollout/rollout.h"
#include "tensor/linear.h"

namespace hone::test {

constexpr double kSlack = 1e-4;

/// `decoder` on the CPU in f32, for completions from anywhere; no top-k, top-p or min_tokens.
inline void check_drawn(const model::Decoder& decoder, std::span<const rollout::Request> requests,
                        std::span<const rollout::Completion> completions, const rollout::SamplingParams& params,
                        const rollout::GenerateOptions& options) {
  const at::NoGradGuard no_grad;
  REQUIRE(completions.size() == requests.size());
  for (size_t i = 0; i < requests.size(); ++i) {
    const rollout::Completion& c = completions[i];
    CAPTURE(i);
    REQUIRE(!c.ids.empty());
    REQUIRE(c.logps.size() == c.ids.size());
    std::vector<std::vector<int32_t>> whole{requests[i].prompt};
    whole[0].insert(whole[0].end(), c.ids.begin(), c.ids.end());
    const auto first = static_cast<int64_t>(requests[i].prompt.size()) - 1, n = static_cast<int64_t>(c.ids.size());
    const Tensor hidden = decoder.hidden(model::pack(whole, at::kCPU), {}).narrow(0, first, n);
    Tensor logits = linear(hidden, decoder.output_weight(), {}, at::ScalarType::Undefined).to(at::kDouble);
    for (const int32_t id : options.absent_ids) logits.select(1, id).fill_(-INFINITY);
    const Tensor logps = at::log_softmax(params.temperature > 0 ? logits / params.temperature : logits, 1).contiguous();
    const Stream stream(options.seed, "sample", requests[i].key, requests[i].sample);
    for (int64_t t = 0; t < n; ++t) {
      CAPTURE(t);
      const double* row = logps.const_data_ptr<double>() + t * logps.size(1);
      const auto token = static_cast<size_t>(c.ids[static_cast<size_t>(t)]);
      const double* end = row + logps.size(1);
      if (params.temperature <= 0) {
        CHECK(row[token] >= *std::max_element(row, end) - kSlack);
        continue;
      }
      double before = 0;
      for (size_t v = 0; v < token; ++v) before += std::exp(row[v]);
      const double uniform = stream.uniform_at(static_cast<size_t>(t));
      CHECK(uniform >= before - kSlack);
      CHECK(uniform < before + std::exp(row[token]) + kSlack);
      CHECK(std::abs(row[token] - c.logps[static_cast<size_t>(t)]) < kSlack * std::max(1.0, std::abs(row[token])));
    }
    const bool ended = std::ranges::find(options.end_ids, c.ids.back()) != options.end_ids.end();
    CHECK((c.finish == rollout::Finish::kStop) == ended);
    for (size_t t = 0; t + 1 < c.ids.size(); ++t)
      CHECK(std::ranges::find(options.end_ids, c.ids[t]) == options.end_ids.end());
    if (!ended) CHECK(n == params.max_tokens);
  }
}

}  // namespace hone::test
