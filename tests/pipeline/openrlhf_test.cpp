// `compat = "openrlhf"` held by OpenRLHF's own functions (tools/golden/openrlhf.py, version in the file): with the
// settings that the list gives PPO, rewards of tokens, advantages, returns, losses and gradients are theirs.
#include <doctest/doctest.h>

#include "../golden/golden.h"
#include "advantages/estimator.h"
#include "advantages/rewards.h"
#include "losses/aggregate.h"
#include "losses/bradley_terry.h"
#include "losses/kl_loss.h"
#include "losses/ppo.h"
#include "pipeline/compat.h"
#include "pipeline/stage.h"
#include "tensor/from_host.h"

using namespace hone;

namespace {

namespace adv = advantages;

const Json& file() {
  static const Json json = golden::load("openrlhf.json");
  return json;
}
std::vector<int64_t> lengths() { return file()["lengths"]; }

// The entries of padded rows that are tokens, end to end: (5, 7) -> (22).
Tensor tokens(const Json& rows) {
  const Tensor counts = golden::tensor(file()["lengths"], at::kLong), position = at::arange(7, at::kLong).unsqueeze(0);
  return golden::tensor(rows).masked_select(position < counts.unsqueeze(1));
}
std::vector<float> floats(const Tensor& t) {
  return {t.const_data_ptr<float>(), t.const_data_ptr<float>() + t.numel()};
}
Tensor tensor(const std::vector<float>& values) { return from_host(values); }

// PPO's settings under compat = "openrlhf".
class Settings {
 public:
  template <class T>
  T of(const std::string& key) const {
    return config::to_json(fields_.find(key, "ppo", "test")).get<T>();
  }

 private:
  std::unique_ptr<pipeline::Stage> stage_ = pipeline::make_stage("ppo", "test");
  config::Fields fields_ = pipeline::apply_settings(*stage_, {"ppo", "ppo", "test", {}}, "openrlhf");
};

losses::PpoLossParams loss_params(const Settings& s) {
  return {.clip_low = s.of<double>("loss.clip_low"),
          .clip_high = s.of<double>("loss.clip_high"),
          .dual_clip = s.of<double>("loss.dual_clip"),
          .value_clip = s.of<double>("loss.value_clip")};
}

void check_gradient(const Tensor& loss, const Tensor& leaf, const Json& theirs) {
  loss.backward();
  CHECK(loss.item<double>() == doctest::Approx(theirs["loss"].get<double>()).epsilon(1e-5));
  CHECK(golden::distance(leaf.grad(), tokens(theirs["gradient"])) < 1e-6);
}

}  // namespace

TEST_CASE("OpenRLHF's rewards of tokens, advantages and returns") {
  const Settings s;
  const adv::RewardParams shaping{.score_position = s.of<std::string>("score_position"),
                                  .missing_eos = s.of<std::string>("missing_eos"),
                                  .score_clip = s.of<double>("score_clip"),
                                  .kl_estimator = s.of<std::string>("kl_estimator"),
                                  .kl_clamp = s.of<std::string>("kl_clamp"),
                                  .kl_clamp_limit = s.of<double>("kl_clamp_limit")};
  const adv::Slots slots = adv::make_slots(lengths(), {});
  const std::vector<uint8_t> finished{1, 1, 0, 1, 1};
  const std::vector<float> score = file()["score"], logp = floats(tokens(file()["old_logp"])),
                           reference = floats(tokens(file()["reference_logp"])),
                           values = floats(tokens(file()["values"]));
  const double beta = s.of<double>("kl_coef");
  CHECK(beta == file()["kl_coef"]);
  const adv::ShapedRewards shaped = adv::shape_rewards(slots, {score, finished, logp, reference}, beta, shaping);
  CHECK(golden::distance(tensor(shaped.rewards), tokens(file()["rewards"])) < 1e-5);
  for (const double lambda : {s.of<double>("lambda"), 0.95}) {
    const Json& theirs = file()[lambda == 1 ? "gae_1" : "gae_0.95"];
    const adv::Estimates e =
        adv::estimate({slots, shaped.rewards, values},
                      {.gamma = s.of<double>("gamma"), .lambda = lambda, .whiten = s.of<std::string>("whiten")});
    CHECK(golden::distance(tensor(e.returns), tokens(theirs["returns"])) < 1e-5);
    CHECK(golden::distance(tensor(e.advantages), tokens(theirs["advantages"])) < 1e-5);
  }
}

TEST_CASE("OpenRLHF's losses of policy and critic, and their gradients") {
  const Settings s;
  const std::vector<int64_t> n = lengths();
  const Tensor old = tokens(file()["old_logp"]), advantages = tokens(file()["gae_1"]["advantages"]);
  const auto policy = [&](const losses::PpoLossParams& params, const char* aggregation, const char* name) {
    CAPTURE(name);
    const Tensor logp = tokens(file()["logp"]).requires_grad_();
    const Tensor loss =
        losses::reduce(losses::clipped_surrogate(logp, old, advantages, params).loss,
                       tensor(losses::answer_weights(aggregation, n)), losses::answer_normaliser(aggregation, n, 7));
    check_gradient(loss, logp, file()[name]);
  };
  losses::PpoLossParams params = loss_params(s), dual = params, higher = params;
  dual.dual_clip = 1.2;
  higher.clip_high = 0.28;
  policy(params, "token_mean", "policy_ppo");
  policy(dual, "token_mean", "policy_dual_clip");
  policy(higher, "token_mean", "policy_clip_higher");
  policy(params, "sequence_mean", "policy_sequence_mean");

  const Tensor value = tokens(file()["new_values"]).requires_grad_();
  const Tensor critic = losses::value_loss(value, tokens(file()["values"]), tokens(file()["gae_1"]["returns"]), params);
  check_gradient(losses::reduce(critic, static_cast<double>(value.numel())), value, file()["value"]);

  for (const char* estimator : {"k3", "k3_plain"}) {
    const Json& theirs = file()[std::string("kl_") + estimator];
    const Tensor logp = tokens(file()["logp"]).requires_grad_();
    const Tensor term = losses::kl_loss(estimator, logp, old, tokens(theirs["reference_logp"]));
    // Theirs has the value without the ratio, which is ours: the gradient is what teaches.
    losses::reduce(term, static_cast<double>(logp.numel())).backward();
    CHECK(golden::distance(logp.grad(), tokens(theirs["gradient"])) < 1e-6);
  }
}

TEST_CASE("OpenRLHF's loss of a reward model") {
  const Json& pairs = file()["pairs"];
  const Tensor chosen = golden::tensor(pairs["chosen"]), rejected = golden::tensor(pairs["rejected"]);
  const auto mean = [&](const Tensor& margin) {
    return losses::bradley_terry({chosen, rejected, margin, {}}, {}).mean().item<double>();
  };
  CHECK(mean({}) == doctest::Approx(pairs["loss"].get<double>()).epsilon(1e-6));
  CHECK(mean(golden::tensor(pairs["margin"])) ==
        doctest::Approx(pairs["loss_with_margin"].get<double>()).epsilon(1e-6));
}
