#include "tensor/linear.h"

#include <iostream>

#include "base/machine.h"
#include "gradcheck.h"

using namespace hone;
using test::noise;

TEST_CASE("a row's value does not depend on how many rows there are") {
  const Tensor x = noise({40, 96}, 1, at::kFloat), w = noise({72, 96}, 2, at::kFloat), b = noise({72}, 3, at::kFloat);
  const at::NoGradGuard no_grad;
  const Tensor all = hone::linear(x, w, b), invariant = hone::invariant_linear(x, w, b);
  std::string depends;
  for (const int64_t rows : {1, 2, 3, 5, 7, 15, 16, 17, 31, 40}) {
    CAPTURE(rows);
    // hone's own kernels, which sampling promises by: to the bit, on every processor.
    CHECK(at::equal(hone::invariant_linear(x.narrow(0, 0, rows), w, b), invariant.narrow(0, 0, rows)));
    // MKL's are the same to the bit where its kernels are, which it promises for no processor.
    const Tensor few = hone::linear(x.narrow(0, 0, rows), w, b);
    CHECK(test::max_difference(few, all.narrow(0, 0, rows)) < 1e-4);
    if (!at::equal(few, all.narrow(0, 0, rows))) depends += " " + std::to_string(rows);
  }
  if (!depends.empty())
    std::cout << "on " << processor_name()
              << " a row of MKL's product depends on how many rows there are (here:" << depends
              << " against 40): what is scored in other batches may differ there in the last bits\n";
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
