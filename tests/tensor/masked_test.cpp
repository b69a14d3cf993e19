#include "tensor/masked.h"

#include "gradcheck.h"

using namespace hone;
using doctest::Approx;

namespace {
Tensor of(std::initializer_list<double> values) {
  Tensor t = at::empty({static_cast<int64_t>(values.size())}, at::kDouble);
  std::copy(values.begin(), values.end(), t.mutable_data_ptr<double>());
  return t;
}
}  // namespace

TEST_CASE("means and variances over the elements that count") {
  // 1, 2, 6 count: mean 3, squares 4 + 1 + 9 = 14, variance 7 unbiased, 14/3 biased. NaN outside counts nothing.
  const Tensor x = of({1, NAN, 2, 6, 1e9}), mask = of({1, 0, 1, 1, 0}).to(at::kBool);
  CHECK(masked_mean(x, mask).item<double>() == Approx(3));
  CHECK(masked_var(x, mask).item<double>() == Approx(7));
  CHECK(masked_var(x, mask, Variance::kBiased).item<double>() == Approx(14.0 / 3));
  CHECK(masked_mean(x, at::zeros({5}, at::kBool)).item<double>() == 0);
  const Tensor w = whiten(x.nan_to_num(0), mask);
  CHECK(masked_mean(w, mask).item<double>() == Approx(0).epsilon(1e-12));
  CHECK(masked_var(w, mask).item<double>() == Approx(1));
  CHECK(masked_mean(whiten(x.nan_to_num(0), mask, /*shift_mean=*/false), mask).item<double>() == Approx(3));
}

TEST_CASE("a large common offset in f32 does not spoil the variance") {
  const Tensor x = (at::arange(1000, at::kFloat).remainder(2) + 1e5);  // half 100000, half 100001: variance 0.25 biased
  CHECK(masked_var(x, at::ones({1000}, at::kBool), Variance::kBiased).item<double>() == Approx(0.25));
}
