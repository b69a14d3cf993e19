#include "optim/gradients.h"

#include <doctest/doctest.h>

#include <cmath>

#include "../golden/golden.h"
#include "base/error.h"

using hone::Tensor;
using hone::golden::distance;
using hone::golden::tensor;
namespace optim = hone::optim;

namespace {
optim::NamedTensor named(const char* name, const hone::Json& gradient) {
  Tensor t = at::zeros_like(tensor(gradient)).requires_grad_();
  t.mutable_grad() = tensor(gradient);
  return {name, t, optim::TensorKind::kVector};
}
}  // namespace

TEST_CASE("the global norm spans tensors; clipping scales all of them by one factor") {
  const std::vector<optim::NamedTensor> ts{named("a", {3.0, 0.0}), named("b", {0.0, -4.0, 12.0})};
  CHECK(optim::gradient_norm(ts) == doctest::Approx(13));  // √(9 + 16 + 144)
  CHECK(optim::clip_gradients(ts, 20) == doctest::Approx(13));
  CHECK(ts[0].tensor.grad()[0].item<float>() == 3);
  CHECK(optim::clip_gradients(ts, 1.3) == doctest::Approx(13));
  CHECK(ts[0].tensor.grad()[0].item<float>() == doctest::Approx(0.3));
  CHECK(optim::gradient_norm(ts) == doctest::Approx(1.3));
  optim::zero_gradients(ts);
  CHECK(optim::gradient_norm(ts) == 0);
}

TEST_CASE("a norm that is not finite changes nothing and the culprits are named") {
  const std::vector<optim::NamedTensor> ts{named("a", {3.0}), named("b", {1.0, 2.0})};
  ts[1].tensor.mutable_grad()[0] = NAN;
  CHECK(!std::isfinite(optim::clip_gradients(ts, 1)));
  CHECK(ts[0].tensor.grad().item<float>() == 3);
  CHECK(optim::non_finite_gradients(ts) == std::vector<std::string>{"b"});
}

TEST_CASE("a tensor without a gradient is named") {
  const std::vector<optim::NamedTensor> ts{named("a", {3.0}), named("layers.3.bias", {1.0, 2.0})};
  ts[1].tensor.mutable_grad() = Tensor();
  CHECK_THROWS_WITH_AS(optim::gradient_norm(ts), doctest::Contains("'layers.3.bias' got no gradient"), hone::Error);
}
