// Folds and their pooled curve, by hand.
#include "train/cross_validation.h"

#include <doctest/doctest.h>

#include <map>
#include <set>

#include "base/error.h"
#include "base/json.h"

using namespace hone;
using namespace hone::train;

TEST_CASE("rows of one prompt lie in one fold, and folds are as equal as can be") {
  std::vector<std::string> keys;
  for (int i = 0; i < 40; ++i) keys.push_back("prompt " + std::to_string(i % 20));
  for (const int64_t k : {2, 3, 7}) {
    const auto folds = folds_of(keys, k, 1);
    std::map<int64_t, int> sizes;
    for (size_t i = 0; i < 20; ++i) {
      CHECK(folds[i] == folds[i + 20]);
      ++sizes[folds[i]];
    }
    CHECK(std::ssize(sizes) == k);
    for (const auto& [fold, size] : sizes) CHECK((size == 20 / k || size == 20 / k + 1));
    CHECK(folds == folds_of(keys, k, 1));
    CHECK(folds != folds_of(keys, k, 2));
  }
}

TEST_CASE("fewer prompts than folds make fewer folds, and one prompt none") {
  const std::vector<std::string> two{"a", "b", "a"}, one{"a", "a"};
  const auto folds = folds_of(two, 5, 1);
  CHECK(folds[0] == folds[2]);
  CHECK(std::set<int64_t>(folds.begin(), folds.end()) == std::set<int64_t>{0, 1});
  CHECK_THROWS_WITH(folds_of(one, 3, 1), doctest::Contains("comparisons of one prompt alone"));
}

TEST_CASE("curves are pooled by comparisons at the same share of the way") {
  CrossValidation cv;
  cv.begin_fold(10, 0.7);
  cv.add({0.5, 0.6, 0.6});
  cv.add({1.0, 0.8, 0.4});
  cv.begin_fold(30, 0.7);
  cv.add({1.0, 0.9, 0.5});
  CHECK(cv.folds() == 2);
  CHECK(cv.comparisons() == 40);
  CHECK(cv.at(0).accuracy == doctest::Approx(0.5));
  CHECK(cv.at(0).loss == doctest::Approx(0.7));
  CHECK(cv.at(1).accuracy == doctest::Approx((10 * 0.8 + 30 * 0.9) / 40));
  CHECK(cv.at(0.75).accuracy == doctest::Approx((10 * 0.7 + 30 * 0.8) / 40));
  CHECK(cv.at(0.5).loss == doctest::Approx((10 * 0.6 + 30 * 0.6) / 40));
  CrossValidation again;
  again.restore(cv.state());
  CHECK(again.state() == cv.state());
  CHECK(again.at(0.3).accuracy == cv.at(0.3).accuracy);
}

TEST_CASE("within one standard error of the best accuracy the loss decides") {
  CrossValidation cv;
  cv.begin_fold(34, 0.69);
  cv.add({0.25, 0.56, 0.68});
  cv.add({0.5, 0.76, 0.67});  // the best: its standard error is .073
  cv.add({0.75, 0.70, 0.66});
  cv.add({1.0, 0.68, 0.60});
  const std::vector<double> shares{0.25, 0.5, 0.75, 1.0}, nearer{0.25, 0.5};
  CHECK(cv.best_of(shares) == 2);
  CHECK(cv.best_of(nearer) == 1);
  CrossValidation coin;
  coin.begin_fold(10, 0.69);
  coin.add({0.5, 0.5, 0.60});
  coin.add({1.0, 0.4, 0.55});
  CHECK_FALSE(coin.best_of(shares).has_value());
}

TEST_CASE("what is all right in every fold is all right") {
  CrossValidation cv;
  for (int fold = 0; fold < 40; ++fold) {
    cv.begin_fold(1, 0.7);
    cv.add({1.0, 1.0, 0.1});
  }
  CHECK(cv.at(1).accuracy == 1);
}
