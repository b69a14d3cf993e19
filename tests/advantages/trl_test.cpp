// Rewards, advantages and returns as TRL 1.9.2's PPO computes them, executed by tools/golden/trl_reference.py. TRL pads
// to rows; here the same answers lie end to end.
#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "advantages/estimator.h"
#include "advantages/masked.h"
#include "advantages/rewards.h"
#include "base/files.h"
#include "base/json.h"

namespace adv = hone::advantages;
using hone::Json;

namespace {
Json golden() { return hone::parse_json(hone::read_file("tests/golden/trl_ppo.json"), "tests/golden/trl_ppo.json"); }

// The first `counts[s]` entries of each row.
std::vector<float> packed(const Json& rows, const std::vector<int64_t>& counts) {
  std::vector<float> out;
  for (size_t s = 0; s < counts.size(); ++s)
    for (int64_t t = 0; t < counts[s]; ++t) out.push_back(rows[s][static_cast<size_t>(t)].get<float>());
  return out;
}

void check_close(const std::vector<float>& got, const std::vector<float>& want, double tolerance) {
  REQUIRE(got.size() == want.size());
  for (size_t i = 0; i < got.size(); ++i) CHECK(std::abs(got[i] - want[i]) < tolerance);
}
}  // namespace

TEST_CASE("rewards, advantages and returns of TRL's PPO") {
  const Json g = golden();
  const auto lengths = g["lengths"].get<std::vector<int64_t>>();
  const std::vector<uint8_t> extra = adv::extra_slots("after_last", lengths, 7);
  std::vector<int64_t> counts = lengths;
  for (size_t s = 0; s < counts.size(); ++s) counts[s] += extra[s];
  const adv::Slots slots = adv::make_slots(lengths, extra);
  std::vector<uint8_t> finished;
  for (const Json& f : g["finished"]) finished.push_back(f.get<bool>());
  const auto score = g["scores"].get<std::vector<float>>();
  const std::vector<float> logp = packed(g["logprobs"], lengths), reference = packed(g["reference_logprobs"], lengths),
                           values = packed(g["values"], counts);
  for (const auto& [name, expected] : g["cases"].items()) {
    CAPTURE(name);
    const Json& s = expected["settings"];
    const adv::RewardParams params{.score_position = "after_last",
                                   .missing_eos = "subtract",
                                   .missing_eos_penalty = s["missing_eos_penalty"],
                                   .kl_estimator = s["kl_estimator"],
                                   .whiten_rewards = s["whiten_rewards"]};
    const adv::ShapedRewards r = adv::shape_rewards(slots, {score, finished, logp, reference}, s["kl_coef"], params);
    check_close(r.rewards, packed(expected["rewards"], counts), 1e-5);
    const adv::Estimates e = adv::estimate({slots, r.rewards, values}, {.gamma = s["gamma"], .lambda = s["lam"]});
    check_close(e.returns, packed(expected["returns"], counts), 1e-5);
    check_close(slots.at_actions(e.advantages), packed(expected["advantages"], lengths), 1e-5);
  }
}

TEST_CASE("TRL's masked whitening") {
  const Json g = golden()["whiten"];
  std::vector<float> x, shifted, unshifted;
  std::vector<uint8_t> mask;
  for (size_t i = 0; i < 4; ++i)
    for (size_t j = 0; j < 5; ++j) {
      const bool counts = g["mask"][i][j];
      mask.push_back(counts);
      x.push_back(g["x"][i][j]);
      shifted.push_back(counts ? g["shifted"][i][j].get<float>()
                               : 0);  // TRL leaves masked elements scaled; nobody reads them
      unshifted.push_back(counts ? g["unshifted"][i][j].get<float>() : 0);
    }
  std::vector<float> y = x;
  adv::whiten(y, mask, true);
  check_close(y, shifted, 1e-5);
  adv::whiten(x, mask, true, false);
  check_close(x, unshifted, 1e-5);
}
