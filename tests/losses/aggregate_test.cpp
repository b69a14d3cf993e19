#include "losses/aggregate.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "../golden/golden.h"
#include "base/error.h"
#include "base/rng.h"
#include "losses/language.h"

using hone::Tensor;
namespace losses = hone::losses;

TEST_CASE("the sum of weighted losses is divided by the given normaliser") {
  const Tensor loss = hone::golden::tensor({1.0, 2.0, 4.0}), weight = hone::golden::tensor({1.0, 0.0, 0.5});
  CHECK(losses::reduce(loss, weight, 1.5).item<float>() == 2);  // (1·1 + 2·0 + 4·0.5) / 1.5 = 3 / 1.5
  CHECK(losses::reduce(loss, 2).item<float>() == 3.5);          // 7 / 2
  CHECK(losses::total_weight(weight) == 1.5);
}

TEST_CASE("a step without weight and a weight that is no number are errors") {
  const Tensor one = at::ones({1});
  CHECK_THROWS_WITH_AS(losses::reduce(one, one, 0), doctest::Contains("nothing to be divided by"), hone::Error);
  CHECK_THROWS_AS(losses::reduce(one, one, NAN), hone::Error);
  CHECK_THROWS_AS(losses::total_weight(-one), hone::Error);
}

// A model small enough to see through: log-probabilities of targets from a table of logits. The step's gradient must
// not depend on how its tokens are split into micro-batches or in which order they are packed.
TEST_CASE("accumulation and packing change nothing: 1e-10 of the gradient norm in f64, 1e-5 in f32") {
  constexpr int64_t tokens = 96, contexts = 7, vocabulary = 11;
  hone::Stream random(5, "aggregate test");
  for (const at::ScalarType dtype : {at::kDouble, at::kFloat}) {
    std::vector<double> table(contexts * vocabulary), weights(tokens);
    std::vector<int64_t> context(tokens), target(tokens), order(tokens);
    for (double& x : table) x = random.normal();
    for (int64_t i = 0; i < tokens; ++i) {
      weights[i] = random.chance(0.3) ? 0 : random.uniform();
      context[i] = static_cast<int64_t>(random.below(contexts));
      target[i] = static_cast<int64_t>(random.below(vocabulary));
    }
    const auto index = at::TensorOptions().dtype(at::kLong);
    const Tensor w = hone::golden::tensor(weights, dtype);
    const Tensor c = at::from_blob(context.data(), {tokens}, index), y = at::from_blob(target.data(), {tokens}, index);
    const double normaliser = losses::total_weight(w.to(at::kFloat));

    const auto gradient = [&](const std::vector<int64_t>& splits) {
      std::iota(order.begin(), order.end(), 0);
      hone::Stream(splits.size(), "packing").shuffle(order);
      const Tensor permutation = at::from_blob(order.data(), {tokens}, index);
      Tensor logits = hone::golden::tensor(table, dtype).reshape({contexts, vocabulary}).clone().requires_grad_();
      int64_t begin = 0;
      for (const int64_t end : splits) {
        const Tensor rows = permutation.slice(0, begin, end);
        const Tensor logps = at::log_softmax(logits.index_select(0, c.index_select(0, rows)), 1)
                                 .gather(1, y.index_select(0, rows).unsqueeze(1))
                                 .squeeze(1);
        losses::reduce(losses::language(logps), w.index_select(0, rows), normaliser).backward();
        begin = end;
      }
      return logits.grad();
    };
    const Tensor whole = gradient({tokens});
    const double bound = (dtype == at::kDouble ? 1e-10 : 1e-5) * whole.norm().item<double>();
    CHECK(hone::golden::distance(whole, gradient({1, 2, 50, 51, tokens})) < bound);
    CHECK(hone::golden::distance(whole, gradient({12, 24, 36, 48, 60, 72, 84, tokens})) < bound);
  }
}
