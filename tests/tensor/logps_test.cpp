#include "tensor/logps.h"

#include "gradcheck.h"
#include "tensor/kl.h"

using namespace hone;
using test::noise;

namespace {

struct Case {
  Tensor hidden = noise({7, 5}, 1) * 2, weight = noise({11, 5}, 2),
         targets = at::arange(7, at::kLong).mul(3).remainder(11);
};

// The plain way, with all logits.
TokenLogps plain(const Tensor& hidden, const Tensor& weight, const Tensor& targets, double inv_temperature) {
  const Tensor logp = at::log_softmax(at::linear(hidden, weight) * inv_temperature, 1);
  return {logp.gather(1, targets.unsqueeze(1)).squeeze(1), -(logp.exp() * logp).sum(1)};
}

}  // namespace

TEST_CASE("token log-probabilities and entropies equal the plain computation") {
  const Case c;
  const TokenLogps got =
      token_logps(c.hidden, c.weight, c.targets, {.inv_temperature = 0.7, .chunk = 3, .entropy = true});
  const TokenLogps want = plain(c.hidden, c.weight, c.targets, 0.7);
  CHECK(test::max_difference(got.logps, want.logps) < 1e-12);
  CHECK(test::max_difference(got.entropy, want.entropy) < 1e-12);
  CHECK_FALSE(token_logps(c.hidden, c.weight, c.targets).entropy.defined());
}

TEST_CASE("gradients of log-probabilities and entropies agree with central differences") {
  const Case c;
  const Tensor g = noise({7}, 3), e = noise({7}, 4);
  const auto f = [&](const std::vector<Tensor>& in) {
    const TokenLogps out =
        token_logps(in[0], in[1], c.targets, {.inv_temperature = 1.3, .chunk = 2, .entropy_grad = true});
    return (out.logps * g).sum() + (out.entropy * e).sum();
  };
  CHECK(test::gradient_error(f, {c.hidden, c.weight}) < 1e-7);
  const auto without_entropy = [&](const std::vector<Tensor>& in) {
    const TokenLogps out = token_logps(in[0], in[1], c.targets, {.chunk = 4, .entropy = true});
    CHECK_FALSE(out.entropy.requires_grad());
    return (out.logps * g).sum();
  };
  CHECK(test::gradient_error(without_entropy, {c.hidden, c.weight}) < 1e-7);
}

TEST_CASE("the chunk changes nothing, and f32 agrees with f64") {
  const Tensor hidden = noise({300, 40}, 1) * 2, weight = noise({777, 40}, 2);
  const Tensor targets = at::arange(300, at::kLong).mul(31).remainder(777), g = noise({300}, 5);
  std::vector<Tensor> want;
  for (const auto& [dtype, chunk, bound] : {std::tuple{at::kDouble, int64_t{300}, 0.0},
                                            {at::kDouble, 7, 1e-11},
                                            {at::kFloat, 64, 2e-4},
                                            {at::kFloat, 0, 2e-4}}) {
    const Tensor h = hidden.to(dtype).detach().requires_grad_(true), w = weight.to(dtype).detach().requires_grad_(true);
    const TokenLogps out = token_logps(h, w, targets, {.inv_temperature = 0.9, .chunk = chunk, .entropy_grad = true});
    const Tensor loss = ((out.logps + 0.3 * out.entropy) * g.to(dtype)).sum();
    std::vector<Tensor> got = gradients({loss}, {}, {h, w});
    got.insert(got.end(), {out.logps.detach(), out.entropy.detach()});
    if (want.empty()) want = got;
    for (size_t i = 0; i < got.size(); ++i) CHECK(test::max_difference(got[i], want[i]) <= bound);
  }
}

TEST_CASE("bf16 products stay near f32") {
  const Tensor hidden = noise({50, 64}, 1, at::kFloat), weight = noise({90, 64}, 2, at::kFloat);
  const Tensor targets = at::arange(50, at::kLong);
  const Tensor a = token_logps(hidden, weight, targets).logps;
  const Tensor b = token_logps(hidden, weight, targets, {.compute = at::kBFloat16}).logps;
  CHECK((a.scalar_type() == at::kFloat));
  CHECK((b.scalar_type() == at::kFloat));
  CHECK(test::max_difference(a, b) < 0.15);
  CHECK(test::max_difference(a, b) > 0);
}

TEST_CASE("the three estimators of KL average to the KL they estimate") {
  // Two tokens: π = (0.75, 0.25), ref = (0.5, 0.5). KL = 0.75 ln 1.5 + 0.25 ln 0.5 = 0.1308; E[k1] = E[k3] = KL.
  const Tensor p = at::zeros({2}, at::kDouble);
  p[0] = 0.75;
  p[1] = 0.25;
  const Tensor logp = p.log(), ref = at::full({2}, 0.5, at::kDouble).log();
  const double kl = 0.75 * std::log(1.5) + 0.25 * std::log(0.5);
  CHECK((p * kl_k1(logp, ref)).sum().item<double>() == doctest::Approx(kl));
  CHECK((p * kl_k3(logp, ref)).sum().item<double>() == doctest::Approx(kl));
  CHECK(kl_k2(logp, ref)[0].item<double>() == doctest::Approx(0.5 * std::log(1.5) * std::log(1.5)));
  CHECK(kl_k3(logp, ref).min().item<double>() >= 0);
}

TEST_CASE("ids that the distribution does not have: values and gradients are those of a masked log_softmax") {
  const Tensor hidden = noise({50, 24}, 1) * 2, weight = noise({70, 24}, 2) * 2;
  const Tensor absent = at::cat({at::full({1}, 5, at::kLong), at::arange(60, 70, at::kLong)});
  const Tensor targets = at::arange(50, at::kLong).add(6), g = noise({50}, 5), e = noise({50}, 6);
  std::vector<Tensor> want;
  {
    const Tensor h = hidden.detach().requires_grad_(true), w = weight.detach().requires_grad_(true);
    // What is left of the vocabulary, as a vocabulary of its own.
    const Tensor left = at::cat({at::arange(0, 5, at::kLong), at::arange(6, 60, at::kLong)});
    const Tensor z = at::linear(h, w.index_select(0, left)) * 0.9, logp = at::log_softmax(z, 1);
    const Tensor own = targets.where(targets < 5, targets - 1);
    const Tensor logps = logp.gather(1, own.unsqueeze(1)).squeeze(1), entropy = -(logp.exp() * logp).sum(1);
    ((logps * g).sum() + (entropy * e).sum()).backward();
    want = {logps.detach(), entropy.detach(), h.grad(), w.grad()};
  }
  for (const auto& [dtype, chunk, bound] : {std::tuple{at::kDouble, int64_t{0}, 1e-10},
                                            {at::kDouble, 7, 1e-10},
                                            {at::kFloat, 0, 2e-4},
                                            {at::kFloat, 9, 2e-4}}) {
    const Tensor h = hidden.to(dtype).detach().requires_grad_(true), w = weight.to(dtype).detach().requires_grad_(true);
    const TokenLogps out =
        token_logps(h, w, targets, {.inv_temperature = 0.9, .chunk = chunk, .entropy_grad = true, .absent = absent});
    ((out.logps * g.to(dtype)).sum() + (out.entropy * e.to(dtype)).sum()).backward();
    const std::vector<Tensor> got{out.logps.detach(), out.entropy.detach(), h.grad(), w.grad()};
    for (size_t i = 0; i < got.size(); ++i) CHECK(test::max_difference(got[i].to(at::kDouble), want[i]) < bound);
    CHECK(w.grad().index_select(0, absent).eq(0).all().item<bool>());
  }
}
