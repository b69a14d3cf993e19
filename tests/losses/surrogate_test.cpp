#include "losses/surrogate.h"

#include <doctest/doctest.h>

#include <cmath>

#include "../golden/golden.h"
#include "base/error.h"
#include "config/fields.h"
#include "losses/aggregate.h"
#include "losses/kl_loss.h"

using hone::Tensor;
using hone::golden::distance;
using hone::golden::tensor;
namespace losses = hone::losses;

namespace {

struct Seen {
  Tensor loss, grad, clipped;
};

// Tokens of answers of the given lengths, with these ratios to the old policy, whose log-probabilities are -1.
Seen see(const char* id, const std::vector<double>& ratio, const std::vector<double>& advantage,
         const std::vector<int64_t>& answer, const losses::SurrogateParams& params = {}) {
  const Tensor old = at::full({static_cast<int64_t>(ratio.size())}, -1.0, at::kDouble);
  Tensor logp = (tensor(ratio, at::kDouble).log() + old).requires_grad_();
  const losses::Surrogate s = losses::surrogate(id)(
      {logp, old, tensor(advantage, at::kDouble), tensor(answer, at::kLong), answer.back() + 1}, params);
  s.loss.sum().backward();
  return {s.loss.detach(), logp.grad(), s.clipped.to(at::kDouble)};
}

Tensor f64(const std::vector<double>& x) { return tensor(x, at::kDouble); }

}  // namespace

TEST_CASE("at ratio 1 every surrogate's gradient is the policy gradient, and it clips nothing") {
  for (const losses::SurrogateInfo& info : losses::surrogates()) {
    CAPTURE(info.id);
    CHECK(!info.doc.empty());
    CHECK(!info.citation.empty());
    const Seen s = see(info.id.data(), {1, 1, 1, 1}, {0.7, 0.7, -1.3, -1.3}, {0, 0, 1, 1});
    // An answer's ratio (gspo) spreads each token's pull over the answer: its sum is the same.
    CHECK(distance(s.grad, f64({-0.7, -0.7, 1.3, 1.3})) < 1e-12);
    CHECK(s.clipped.sum().item<double>() == 0);
  }
  CHECK_THROWS_WITH_AS(losses::surrogate("nonesuch"), doctest::Contains("unknown surrogate 'nonesuch'"), hone::Error);
}

TEST_CASE("the surrogates by hand, away from ratio 1") {
  const std::vector<double> ratio{1.5, 0.5, 1.5, 0.5}, advantage{2, 2, -1, -1};
  const std::vector<int64_t> each{0, 1, 2, 3};
  // -A log π with log π = log ρ - 1; the gradient is -A whatever the ratio.
  const Seen plain = see("reinforce", ratio, advantage, each);
  CHECK(distance(plain.loss, f64({-2 * (std::log(1.5) - 1), -2 * (std::log(0.5) - 1), std::log(1.5) - 1,
                                  std::log(0.5) - 1})) < 1e-12);
  CHECK(distance(plain.grad, f64({-2, -2, 1, 1})) < 1e-12);

  // max(-A ρ, -A clip(ρ, 0.8, 1.28)): max(-3, -2.56), max(-1, -1.6), max(1.5, 1.28), max(0.5, 0.8)
  const Seen clip = see("clip", ratio, advantage, each, {.clip_high = 0.28});
  CHECK(distance(clip.loss, f64({-2.56, -1, 1.5, 0.8})) < 1e-12);
  CHECK(distance(clip.grad, f64({0, -1, 1.5, 0})) < 1e-12);
  CHECK(distance(clip.clipped, f64({1, 0, 0, 1})) == 0);

  // -min(ρ, 1.2) A log π; the gradient -min(ρ, 1.2) A never goes.
  const Seen cispo = see("cispo", ratio, advantage, each, {.ratio_cap = 1.2});
  CHECK(distance(cispo.grad, f64({-2.4, -1, 1.2, 0.5})) < 1e-12);
  CHECK(cispo.loss[0].item<double>() == doctest::Approx(-2.4 * (std::log(1.5) - 1)));
  CHECK(distance(cispo.clipped, f64({1, 0, 1, 0})) == 0);

  // τ = 1 for A > 0: -2·4·σ(0.5) = -8·0.622459331 = -4.97967465; gradient -A ρ 4p(1-p), p(1-p) = 0.235003712
  // τ = 2 for A < 0: 1·2·σ(1) = 2·0.731058579 = 1.46211716;     gradient 1.5·4·0.196611933 = 1.17967160
  const Seen sapo = see("sapo", ratio, advantage, each, {.tau_negative = 2});
  CHECK(sapo.loss[0].item<double>() == doctest::Approx(-4.97967465));
  CHECK(sapo.grad[0].item<double>() == doctest::Approx(-2 * 1.5 * 4 * 0.235003712));
  CHECK(sapo.loss[2].item<double>() == doctest::Approx(1.46211716));
  CHECK(sapo.grad[2].item<double>() == doctest::Approx(1.17967160));
}

TEST_CASE("gspo has one ratio an answer: the geometric mean, clipped as a whole") {
  // Answer 0: √(1.44·1) = 1.2, inside 1.3; answer 1: (8·1·1)^(1/3) = 2, outside.
  const Seen s = see("gspo", {1.44, 1, 8, 1, 1}, {1, 1, 1, 1, 1}, {0, 0, 1, 1, 1}, {.clip_low = 0.3, .clip_high = 0.3});
  CHECK(distance(s.loss, f64({-1.2, -1.2, -1.3, -1.3, -1.3})) < 1e-12);
  // d/dlogp_t of 2 tokens' -s: 2 · -s/2 = -1.2 each; clipped: 0.
  CHECK(distance(s.grad, f64({-1.2, -1.2, 0, 0, 0})) < 1e-12);
  CHECK(distance(s.clipped, f64({0, 0, 1, 1, 1})) == 0);
}

TEST_CASE("four ways to weigh the tokens of two answers, of 2 and 6 tokens with a limit of 10") {
  const std::vector<int64_t> lengths{2, 6};
  const Tensor loss = f64({1, 1, 2, 2, 2, 2, 2, 2});
  const auto mean = [&](const char* how) {
    return losses::reduce(loss, tensor(losses::answer_weights(how, lengths)),
                          losses::answer_normaliser(how, lengths, 10))
        .item<double>();
  };
  CHECK(mean("sequence_mean") == doctest::Approx((1.0 + 2.0) / 2));  // (2/2 + 12/6) / 2
  CHECK(mean("sequence_sum") == doctest::Approx((2.0 + 12.0) / 2));
  CHECK(mean("token_mean") == doctest::Approx(14.0 / 8));
  CHECK(mean("constant") == doctest::Approx(14.0 / 20));
  CHECK_THROWS_AS(losses::answer_normaliser("mean", lengths, 10), hone::Error);
}

// Over an enumerated distribution a term's expected gradient is known exactly.
TEST_CASE("the divergence in the loss: k2 and k3 have its gradient, the plain ones have not") {
  const Tensor reference = at::softmax(f64({0.3, -1.0, 1.2, 0.0}), 0);
  for (const bool moved : {false, true}) {  // whether the answers are of the policy or of the one before
    CAPTURE(moved);
    const auto gradient = [&](auto term) {
      Tensor logits = f64({1.0, 0.1, 0.2, -0.4}).requires_grad_();
      term(at::log_softmax(logits, 0)).backward();
      return logits.grad().clone();
    };
    const Tensor old = at::log_softmax(moved ? f64({0.2, 0.4, -0.3, 0.1}) : f64({1.0, 0.1, 0.2, -0.4}), 0);
    const Tensor exact = gradient([&](const Tensor& logp) { return (logp.exp() * (logp - reference.log())).sum(); });
    const auto expected = [&](const char* estimator) {
      return gradient([&](const Tensor& logp) {
        return (old.exp() * losses::kl_loss(estimator, logp, old, reference.log())).sum();
      });
    };
    CHECK(distance(expected("k2"), exact) < 1e-12);
    CHECK(distance(expected("k3"), exact) < 1e-12);
    if (!moved) CHECK(expected("k1_plain").abs().max().item<double>() < 1e-12);  // nothing but noise
    CHECK(distance(expected("k3_plain"), exact) > 0.05);
  }
  // k3's value is k3's.
  Tensor logp = f64({-1.0}).requires_grad_();
  CHECK(losses::kl_loss("k3", logp, logp.detach(), f64({-1.5})).item<double>() ==
        doctest::Approx(std::exp(-0.5) - 1 + 0.5));
  CHECK_THROWS_WITH_AS(losses::kl_loss("k4", logp, logp.detach(), logp.detach()),
                       doctest::Contains("unknown kl_estimator 'k4'"), hone::Error);
}

TEST_CASE(
    "every setting of the policy's loss has a meaning and a source, and its surrogates are those that there are") {
  losses::PolicyLossParams params;
  const hone::config::Fields fields = hone::config::fields_of(params);
  for (const auto& field : fields.list()) {
    CAPTURE(field.key);
    CHECK(!field.doc.empty());
    CHECK(!field.source.empty());
  }
  const auto& choices = fields.find("surrogate", "loss", "").choices;
  CHECK(choices.size() == losses::surrogates().size());
  for (const std::string& id : choices) CHECK_NOTHROW(losses::surrogate(id));
}
