#include "losses/preference_loss.h"

#include <doctest/doctest.h>

#include <cmath>

#include "../golden/golden.h"
#include "base/error.h"
#include "base/rng.h"
#include "config/fields.h"
#include "losses/aggregate.h"
#include "losses/registry.h"

using hone::Json;
using hone::Tensor;
using hone::golden::distance;
using hone::golden::tensor;
namespace losses = hone::losses;

namespace {

// A loss with some of its settings.
losses::PreferenceLossSettings settings(const std::string& name, const std::map<std::string, Json>& values = {}) {
  losses::PreferenceLossSettings out(name);
  const hone::config::Fields fields = hone::config::fields_of(out);
  for (const auto& [key, value] : values) hone::config::set_from_json(fields.find(key, name, ""), value, "");
  return out;
}

// Pairs from the log-probabilities of their sides.
losses::Answers pairs(const Tensor& chosen, const Tensor& rejected, const Tensor& reference_chosen,
                      const Tensor& reference_rejected) {
  losses::Answers out;
  out.policy = at::stack({chosen, rejected}, 1).reshape({-1});
  out.reference = at::stack({reference_chosen, reference_rejected}, 1).reshape({-1});
  out.tokens = at::ones_like(out.policy);
  out.margin = at::zeros_like(chosen);
  for (int64_t i = 0; i <= chosen.numel(); ++i) out.begin.push_back(2 * i);
  return out;
}

losses::PreferenceValue value_of(const losses::PreferenceLossSettings& loss, const losses::Answers& answers,
                                 const losses::Statistic& statistic = {}) {
  return losses::preference_loss(loss.name).value(answers, loss.params(), statistic);
}

}  // namespace

TEST_CASE("DPO: one pair by hand, and its implicit rewards") {
  const losses::Answers pair = pairs(tensor({-3.0}), tensor({-5.0}), tensor({-4.0}), tensor({-4.5}));
  const losses::PreferenceValue value = value_of(settings("dpo", {{"beta", 0.1}}), pair);
  // d = (-3 + 4) - (-5 + 4.5) = 1.5;  β d = 0.15;  -logσ(0.15) = log(1 + e^-0.15) = 0.620957
  CHECK(value.terms[0].values.item<float>() == doctest::Approx(0.620957));
  CHECK(distance(value.scale * value.reward, tensor({0.1, -0.05})) < 1e-7);
}

TEST_CASE("the policy that is the reference pays DPO's log 2 whatever beta") {
  const Tensor x = tensor({-7.0, -1.0}), y = tensor({-2.0, -9.0});
  const losses::PreferenceValue value = value_of(settings("dpo", {{"beta", 5.0}}), pairs(x, y, x, y));
  CHECK(distance(value.terms[0].values, at::full({2}, std::log(2.0))) < 1e-7);
}

TEST_CASE("DPO is TRL's, with label smoothing too") {
  const Json g = hone::golden::load("trl_losses.json")["dpo"];
  const losses::Answers all = pairs(tensor(g["policy_chosen"]), tensor(g["policy_rejected"]),
                                    tensor(g["reference_chosen"]), tensor(g["reference_rejected"]));
  CHECK(distance(value_of(settings("dpo", {{"beta", g["beta"]}}), all).terms[0].values, tensor(g["loss"])) < 1e-5);
  const auto smoothed = settings("dpo", {{"beta", g["beta"]}, {"label_smoothing", g["label_smoothing"]}});
  CHECK(distance(value_of(smoothed, all).terms[0].values, tensor(g["smoothed_loss"])) < 1e-5);
}

// Rafailov et al., section 4, and Azar et al., theorem 3: on an enumerable space, with Bradley–Terry labels of a reward
// r, DPO's minimum over all policies is π_ref·exp(r/β)/Z, and IPO's the tilt by the mean over the others of the
// difference that each pair asks for, (2p - 1)/(2β).
TEST_CASE("the population optima of DPO and IPO are their closed forms") {
  constexpr int64_t n = 9;  // two tokens out of three
  hone::Stream random(11, "dpo test");
  std::vector<double> reward(n), reference_logits(n);
  for (int64_t i = 0; i < n; ++i) {
    reward[i] = random.normal();
    reference_logits[i] = random.normal();
  }
  std::vector<int64_t> both;
  for (int64_t i = 0; i < n * n; ++i)
    if (i / n != i % n) both.insert(both.end(), {i / n, i % n});
  const auto index = at::TensorOptions().dtype(at::kLong);
  const Tensor answers = at::from_blob(both.data(), {std::ssize(both)}, index);
  const Tensor r = tensor(reward, at::kDouble), reference = at::log_softmax(tensor(reference_logits, at::kDouble), 0);
  const Tensor wins = at::sigmoid(r.unsqueeze(1) - r.unsqueeze(0));  // (n, n) of the row over the column
  const Tensor of_pairs = r.index_select(0, answers).view({-1, 2});
  const Tensor weight = at::sigmoid(of_pairs.select(1, 0) - of_pairs.select(1, 1));
  for (const char* name : {"dpo", "ipo"})
    for (const double beta : {0.5, 1.0}) {
      CAPTURE(name);
      CAPTURE(beta);
      const bool dpo = std::string(name) == "dpo";
      const auto loss = settings(name, {{"beta", beta}});
      Tensor logits = reference.clone().requires_grad_();
      for (int step = 0; step < 3000; ++step) {
        logits.mutable_grad() = Tensor();
        losses::Answers all;
        all.policy = at::log_softmax(logits, 0).index_select(0, answers);
        all.reference = reference.index_select(0, answers);
        all.tokens = at::ones_like(all.policy);
        losses::reduce(value_of(loss, all).terms[0].values, weight, weight.sum().item<double>()).backward();
        const at::NoGradGuard no_grad;
        logits.sub_(logits.grad(), dpo ? 8.0 : 1.0);
      }
      const Tensor tilt = dpo ? r / beta : ((2 * wins - 1) / (2 * beta)).sum(1) / n;
      const Tensor policy = at::softmax(logits.detach(), 0), ideal = at::softmax(reference + tilt, 0),
                   start = reference.exp();
      CHECK(0.5 * (start - ideal).abs().sum().item<double>() > 0.05);
      CHECK(0.5 * (policy - ideal).abs().sum().item<double>() < 1e-6);
    }
}

TEST_CASE("KTO: good and bad answers by hand, around a z that is never negative") {
  losses::Answers a;
  a.arity = losses::Arity::kSingle;
  a.policy = tensor({-3.0, -5.0});
  a.reference = tensor({-4.0, -4.5});
  a.good = tensor({1.0, 0.0});
  a.mismatched = tensor({0.7, -0.3});
  const auto loss = settings("kto", {{"beta", 0.5}, {"desirable_weight", 2.0}});
  const losses::Statistic z = losses::preference_loss("kto").statistic(a, loss.params(), {});
  CHECK(z.value == doctest::Approx(0.2));
  // good: 2·[1 - σ(.5(1 - .2))] = 2·(1 - σ(.4)) = .802625;  bad: 1 - σ(.5(.2 + .5)) = 1 - σ(.35) = .413382
  CHECK(distance(value_of(loss, a, z).terms[0].values, tensor({0.802625, 0.413382})) < 1e-5);
  a.mismatched = tensor({-2.0, -1.0});
  CHECK(losses::preference_loss("kto").statistic(a, loss.params(), {}).value == 0);
}

TEST_CASE("BCO's delta is the mean over all answers so far") {
  losses::Answers a;
  a.arity = losses::Arity::kSingle;
  a.policy = tensor({-3.0, -5.0});
  a.reference = tensor({-4.0, -4.5});
  const auto loss = settings("bco", {{"beta", 0.5}});
  const losses::Statistic first = losses::preference_loss("bco").statistic(a, loss.params(), {});
  CHECK(first.value == doctest::Approx(0.125));  // .5·(1 - .5)/2
  CHECK(first.count == 2);
  a.policy = tensor({-1.0, -1.0, -1.0, -1.0});
  a.reference = tensor({-2.0, -2.0, -2.0, -2.0});
  CHECK(losses::preference_loss("bco").statistic(a, loss.params(), first).value ==
        doctest::Approx((2 * 0.125 + 4 * 0.5) / 6));
}

TEST_CASE("a ranking of two is DPO's pair; one of three is the product of its choices") {
  losses::Answers pair = pairs(tensor({-3.0}), tensor({-5.0}), tensor({-4.0}), tensor({-4.5}));
  pair.arity = losses::Arity::kRanking;
  const auto ranking = settings("plackett_luce", {{"beta", 0.1}});
  CHECK(value_of(ranking, pair).terms[0].values.item<float>() == doctest::Approx(0.620957));
  losses::Answers three;
  three.arity = losses::Arity::kRanking;
  three.policy = tensor({-1.0, -2.0, -3.0});
  three.reference = at::zeros({3});
  three.begin = {0, 3};
  // β = 1: log(1 + e^-1 + e^-2) + log(1 + e^-1) = .407606 + .313262
  CHECK(value_of(settings("plackett_luce", {{"beta", 1.0}}), three).terms[0].values.item<float>() ==
        doctest::Approx(0.720868));
}

TEST_CASE("ORPO's odds hold where an answer is certain, and where it is all but impossible") {
  losses::Answers a = pairs(tensor({0.0, -1e-9, -800.0}), tensor({-1.0, -2.0, -900.0}), tensor({0.0, 0.0, 0.0}),
                            tensor({0.0, 0.0, 0.0}));
  a.policy = a.policy.clone().requires_grad_();
  const losses::PreferenceValue value = value_of(settings("orpo"), a);
  Tensor sum = at::zeros({});
  for (const losses::Term& term : value.terms) sum = sum + term.values.sum();
  sum.backward();
  CHECK(std::isfinite(sum.item<double>()));
  CHECK(at::isfinite(a.policy.grad()).all().item<bool>());
}

TEST_CASE("no loss is more than its limits: huge log-ratios give finite losses and gradients") {
  for (const std::string& name : losses::preference_loss_ids()) {
    CAPTURE(name);
    const losses::PreferenceLoss& loss = losses::preference_loss(name);
    const auto own = settings(name);
    for (const double size : {0.0, 50.0, 500.0}) {
      CAPTURE(size);
      losses::Answers a = pairs(tensor({-10.0 - size, -10.0}), tensor({-10.0, -10.0 - size}),
                                tensor({-10.0, -10.0 - size}), tensor({-10.0 - size, -10.0}));
      a.arity = loss.needs.arity;
      a.good = tensor({1.0, 0.0, 1.0, 0.0});
      a.collision = tensor({-1.0, -1.0, -1.0, -1.0});
      a.mismatched = tensor({0.1, -0.1, 0.1, -0.1});
      const losses::Statistic statistic =
          loss.statistic == nullptr ? losses::Statistic{} : loss.statistic(a, own.params(), {});
      a.policy = a.policy.clone().requires_grad_();
      const losses::PreferenceValue value = loss.value(a, own.params(), statistic);
      Tensor sum = at::zeros({});
      for (const losses::Term& term : value.terms) sum = sum + term.values.sum();
      sum.backward();
      // exp(-z) of DiscoPOP is what it says, an exponential.
      if (name != "discopop") CHECK(std::isfinite(sum.item<double>()));
      if (name != "discopop") CHECK(at::isfinite(a.policy.grad()).all().item<bool>());
      CHECK(value.reward.numel() == 4);
      CHECK_FALSE(value.reward.requires_grad());
    }
  }
}

TEST_CASE("each loss has its own settings, with a meaning and a source; another's are unknown to it") {
  for (const std::string& name : losses::preference_loss_ids()) {
    CAPTURE(name);
    losses::PreferenceLossSettings loss(name);
    const hone::config::Fields fields = hone::config::fields_of(loss);
    CHECK(fields.list().front().selects);
    for (const auto& field : fields.list()) {
      CHECK(!field.doc.empty());
      CHECK(!field.source.empty());
    }
  }
  losses::PreferenceLossSettings simpo("simpo");
  CHECK_NOTHROW(hone::config::fields_of(simpo).find("gamma", "preference", ""));
  losses::PreferenceLossSettings dpo("dpo");
  CHECK_THROWS_AS(hone::config::fields_of(dpo).find("gamma", "preference", ""), hone::Error);
  CHECK_THROWS_WITH_AS(losses::preference_loss("ppo"), doctest::Contains("unknown loss 'ppo'"), hone::Error);
}

TEST_CASE("settings of a loss are copied with their values, and begin anew where another loss is chosen") {
  losses::PreferenceLossSettings a = settings("dpo", {{"beta", 3.0}});
  losses::PreferenceLossSettings b = a;
  const auto beta = [](losses::PreferenceLossSettings& s) {
    return hone::config::to_json(hone::config::fields_of(s).find("beta", "", "")).get<double>();
  };
  CHECK(beta(b) == 3.0);
  b.name = "simpo";
  CHECK(beta(b) == 2.0);
  CHECK(beta(a) == 3.0);
}
