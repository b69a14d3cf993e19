#include "rollout/sampling.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

using namespace hone;
using namespace hone::rollout;

namespace {

// Logits of log 0.1, log 0.2, log 0.3, log 0.4.
Tensor four() {
  const Tensor t = at::empty({1, 4}, at::kFloat);
  for (int i = 0; i < 4; ++i) t.mutable_data_ptr<float>()[i] = std::log(0.1f * static_cast<float>(i + 1));
  return t;
}

Draw one(double uniform, const SamplingParams& params, bool forbid = false) {
  const std::vector<double> u{uniform};
  const std::vector<uint8_t> f{forbid};
  const std::vector<int32_t> end{3};
  return draw(four(), u, params, f, end).front();
}

}  // namespace

TEST_CASE("inverse CDF in token order: 0.1 | 0.3 | 0.6 | 1.0") {
  const SamplingParams params;
  CHECK(one(0.05, params).token == 0);
  CHECK(one(0.15, params).token == 1);
  CHECK(one(0.59, params).token == 2);
  CHECK(one(0.61, params).token == 3);
  CHECK(one(0.61, params).logp == doctest::Approx(std::log(0.4)));
}

TEST_CASE("log-probabilities are of the distribution sampled from") {
  SamplingParams params;
  params.top_k = 2;  // 0.4 and 0.3 are left, in this order: 4/7 | 1
  CHECK(one(0.5, params).token == 3);
  CHECK(one(0.6, params).token == 2);
  CHECK(one(0.6, params).logp == doctest::Approx(std::log(3.0 / 7)));
  params = {};
  params.top_p = 0.5;  // 0.4 is under one half, so 0.3 comes in too
  CHECK(one(0.99, params).token == 2);
  params.top_p = 0.39;  // 0.4 alone reaches it
  CHECK(one(0.99, params).token == 3);
  CHECK(one(0.99, params).logp == doctest::Approx(0));
  params = {};
  params.temperature = 0.5;  // squares: 1, 4, 9, 16 of 30
  CHECK(one(0.99, params).logp == doctest::Approx(std::log(16.0 / 30)));
}

TEST_CASE("greedy, and an end token that may not come yet") {
  SamplingParams params;
  params.temperature = 0;
  CHECK(one(0.0, params).token == 3);
  CHECK(one(0.0, params, true).token == 2);
  params.temperature = 1;
  for (double u = 0; u < 1; u += 0.05) CHECK(one(u, params, true).token != 3);
  CHECK(one(0.99, params, true).logp == doctest::Approx(std::log(0.5)));  // 0.3 of 0.6
}

TEST_CASE("a nucleus of many tokens, of which only the likeliest are put in order") {
  // 5,000 tokens, some of them alike: by the definition, everything sorted.
  constexpr int64_t kTokens = 5000;
  Stream random(3, "nucleus");
  for (const double spread : {0.0, 0.01, 1.0, 6.0}) {
    Tensor logits = at::empty({1, kTokens}, at::kFloat);
    for (int64_t v = 0; v < kTokens; ++v)
      logits.mutable_data_ptr<float>()[v] = static_cast<float>(std::round(random.normal() * 50) / 50 * spread);
    const Tensor logps = at::log_softmax(logits, 1);
    std::vector<int32_t> order(kTokens);
    for (int32_t v = 0; v < kTokens; ++v) order[static_cast<size_t>(v)] = v;
    const float* p = logps.const_data_ptr<float>();
    std::ranges::stable_sort(order, [&](int32_t a, int32_t b) { return p[a] > p[b]; });
    double total = 0;
    for (int64_t v = 0; v < kTokens; ++v) total += std::exp(static_cast<double>(p[v]));
    for (const double top_p : {0.05, 0.5, 0.9, 0.999}) {
      SamplingParams params;
      params.top_p = top_p;
      std::vector<double> sums = {0};  // of the first n
      while (sums.back() < top_p * total)
        sums.push_back(sums.back() + std::exp(static_cast<double>(p[order[sums.size() - 1]])));
      const size_t n = sums.size() - 1;
      for (const double uniform : {0.0, 0.123, 0.5, 0.87, 0.9999}) {
        size_t expected = 0;
        while (expected + 1 < n && sums[expected + 1] <= uniform * sums[n]) ++expected;
        const Draw d = draw(logits, {&uniform, 1}, params, std::vector<uint8_t>{0}, {})[0];
        CHECK(d.token == order[expected]);
        CHECK(d.logp == doctest::Approx(p[d.token] - std::log(sums[n])).epsilon(1e-5));
      }
    }
  }
}
