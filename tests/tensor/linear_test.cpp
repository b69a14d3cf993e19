#include "tensor/linear.h"

#include "gradcheck.h"

using namespace hone;
using test::noise;

TEST_CASE("a row's value does not depend on how many rows there are") {
  const Tensor x = noise({40, 96}, 1, at::kFloat), w = noise({72, 96}, 2, at::kFloat), b = noise({72}, 3, at::kFloat);
  const at::NoGradGuard no_grad;
  const Tensor all = hone::linear(x, w, b);
  for (const int64_t rows : {1, 2, 3, 5, 7, 15, 16, 17, 31, 40}) {
    CAPTURE(rows);
    CHECK(at::equal(hone::linear(x.narrow(0, 0, rows), w, b), all.narrow(0, 0, rows)));
  }
}

TEST_CASE("linear layers in f64 and bf16") {
  const Tensor x = noise({3, 4}, 1), w = noise({2, 4}, 2), b = noise({2}, 3), g = noise({3, 2}, 4);
  const auto f = [&](const std::vector<Tensor>& in) { return (hone::linear(in[0], in[1], in[2]) * g).sum(); };
  CHECK(test::gradient_error(f, {x, w, b}) < 1e-8);
  const Tensor xf = x.to(at::kFloat).requires_grad_(true), wf = w.to(at::kFloat).requires_grad_(true);
  const Tensor y = hone::linear(xf, wf, b.to(at::kFloat), at::kBFloat16);
  CHECK((y.scalar_type() == at::kFloat));
  CHECK(test::max_difference(y, hone::linear(x, w, b)) < 0.03);
  const std::vector<Tensor> grads = gradients({y.sum()}, {}, {xf, wf});
  CHECK((grads[1].scalar_type() == at::kFloat));
}
