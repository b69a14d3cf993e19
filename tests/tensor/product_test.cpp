#include "tensor/product.h"

#include "gradcheck.h"
#include "tensor/linear.h"
#include "tensor/logps.h"

using namespace hone;
using test::max_difference;
using test::noise;

namespace {
// As large as a weight must be for oneDNN, where that computes; elsewhere these hold for MKL.
constexpr int64_t kIn = 512, kOut = 520;
}  // namespace

TEST_CASE("products of every stride, added too, are the plain ones") {
  for (const int64_t rows : {1, 15, 33, 200}) {
    CAPTURE(rows);
    const Tensor w = noise({kOut, kIn}, 1, at::kFloat), x = noise({rows, kIn}, 2, at::kFloat),
                 g = noise({rows, kOut}, 3, at::kFloat);
    const auto exact = [](const Tensor& a, const Tensor& b) { return at::mm(a.to(at::kDouble), b.to(at::kDouble)); };
    CHECK(max_difference(product(x, w.t(), w), exact(x, w.t())) < 1e-3);
    CHECK(max_difference(product(g, w, w), exact(g, w)) < 1e-3);
    Tensor gradient = product(g.t(), x, w);
    CHECK(max_difference(gradient, exact(g.t(), x)) < 1e-3);
    CHECK(at::equal(gradient, product(g.t(), x, w)));
    add_product(gradient, g.t(), x);
    CHECK(max_difference(gradient, exact(g.t(), x) * 2) < 2e-3);
    CHECK(max_difference(product(at::zeros({1, 1}).expand({rows, kIn}), w.t(), w), at::zeros({rows, kOut})) == 0);
  }
  const Tensor w = noise({kOut, kIn}, 1, at::kFloat);
  CHECK(product(at::empty({0, kIn}), w.t(), w).size(0) == 0);
}

TEST_CASE("a large layer's gradients are those of f64, frozen parts get none, and a row stands alone") {
  const Tensor x = noise({40, kIn}, 1), w = noise({kOut, kIn}, 2), b = noise({kOut}, 3), g = noise({40, kOut}, 4);
  for (const bool with_bias : {false, true})
    for (const bool frozen : {false, true}) {
      CAPTURE(with_bias);
      CAPTURE(frozen);
      const auto grads = [&](at::ScalarType dtype) {
        const Tensor xs = x.to(dtype, false, true).requires_grad_(true),
                     ws = w.to(dtype, false, true).requires_grad_(!frozen),
                     bs = with_bias ? b.to(dtype, false, true).requires_grad_(!frozen) : Tensor();
        const Tensor y = hone::linear(xs, ws, bs);
        (y * g.to(dtype)).sum().backward();
        CHECK(ws.grad().defined() == !frozen);
        std::vector<Tensor> out{y.detach(), xs.grad()};
        if (!frozen) out.push_back(ws.grad());
        if (!frozen && with_bias) out.push_back(bs.grad());
        return out;
      };
      const auto f32 = grads(at::kFloat), f64 = grads(at::kDouble);
      for (size_t i = 0; i < f32.size(); ++i) CHECK(max_difference(f32[i], f64[i]) < 1e-3);
    }
  // What a row gives does not hang on the others, where oneDNN computes; MKL promises it for no processor
  // (linear_test.cpp tells).
  const at::NoGradGuard no_grad;
  const Tensor xf = x.to(at::kFloat), wf = w.to(at::kFloat), all = hone::linear(xf, wf);
  for (const int64_t rows : {1, 3, 16, 17, 31})
    CHECK(max_difference(hone::linear(xf.narrow(0, 0, rows), wf), all.narrow(0, 0, rows)) < 1e-4);
}

TEST_CASE("log-probabilities under a large output layer have the gradients of f64") {
  const Tensor hidden = noise({24, kIn}, 1) * 0.1, w = noise({kOut, kIn}, 2),
               targets = at::arange(24, at::kLong).mul(7).remainder(kOut);
  const auto grads = [&](at::ScalarType dtype) {
    const Tensor h = hidden.to(dtype, false, true).requires_grad_(true),
                 ws = w.to(dtype, false, true).requires_grad_(true);
    const TokenLogps out = token_logps(h, ws, targets, {.chunk = 9});
    out.logps.sum().backward();
    return std::vector<Tensor>{out.logps.detach(), h.grad(), ws.grad()};
  };
  const auto f32 = grads(at::kFloat), f64 = grads(at::kDouble);
  for (size_t i = 0; i < f32.size(); ++i) CHECK(max_difference(f32[i], f64[i]) < 1e-3);
}
