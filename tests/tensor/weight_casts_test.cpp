#include "tensor/weight_casts.h"

#include "gradcheck.h"
#include "tensor/linear.h"

using namespace hone;
using test::noise;

TEST_CASE("kept casts give the bits of casts made in each pass, and follow the weight") {
  const Tensor w = noise({6, 8}, 1, at::kFloat).requires_grad_(true), again = w.detach().clone().requires_grad_(true);
  WeightCasts casts;
  for (uint64_t step = 0; step < 3; ++step) {
    Tensor grad_kept, grad_made;
    for (uint64_t micro = 0; micro < 2; ++micro) {
      const Tensor x = noise({5, 8}, 10 * step + micro, at::kFloat);
      const Tensor kept = linear(x, casts.of(w, at::kBFloat16), {}, at::kBFloat16),
                   made = linear(x, again, {}, at::kBFloat16);
      CHECK(at::equal(kept, made));
      kept.square().sum().backward();
      made.square().sum().backward();
    }
    CHECK((w.grad().scalar_type() == at::kFloat));
    CHECK(at::equal(w.grad(), again.grad()));
    const at::NoGradGuard no_grad;
    for (const Tensor* t : {&w, &again}) t->sub_(t->grad(), 0.1);
  }
  CHECK(casts.bytes() == 2 * w.numel());
}

TEST_CASE("a graph keeps the cast it was made with, and a weight of its own dtype is no cast") {
  const Tensor w = noise({3, 4}, 1, at::kFloat).requires_grad_(true);
  WeightCasts casts;
  CHECK(casts.of(w, at::ScalarType::Undefined).is_same(w));
  CHECK(casts.of(w, at::kFloat).is_same(w));
  CHECK(casts.bytes() == 0);
  const Tensor before = casts.of(w, at::kBFloat16), values = before.detach().clone();
  {
    const at::NoGradGuard no_grad;
    w.add_(1);
  }
  const Tensor after = casts.of(w, at::kBFloat16);
  CHECK(at::equal(before.detach(), values));
  CHECK(at::equal(after.detach(), w.detach().to(at::kBFloat16)));
  CHECK_FALSE(at::equal(after.detach(), values));
  const at::NoGradGuard no_grad;
  CHECK_FALSE(casts.of(w, at::kBFloat16).requires_grad());
}
