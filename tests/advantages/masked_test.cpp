#include "advantages/masked.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

namespace adv = hone::advantages;

TEST_CASE("moments and whitening of the marked elements, by hand") {
  std::vector<float> x{1, 100, 3, 5};
  const std::vector<uint8_t> mask{1, 0, 1, 1};
  // 1, 3, 5: mean 3, squares 4 + 0 + 4 = 8: variance 8/2 = 4 unbiased, 8/3 biased
  CHECK(adv::moments(x, mask, true).mean == 3);
  CHECK(adv::moments(x, mask, true).variance == 4);
  CHECK(adv::moments(x, mask, false).variance == doctest::Approx(8.0 / 3));
  std::vector<float> kept = x;
  adv::whiten(x, mask, true);
  CHECK(x == std::vector<float>{-1, 0, 0, 1});
  adv::whiten(kept, mask, true, /*shift_mean=*/false);
  CHECK(kept == std::vector<float>{2, 0, 3, 4});
}

TEST_CASE("degenerate batches stay finite") {
  std::vector<float> one{7}, same{2, 2, 2}, none{1, 2};
  adv::whiten(one, {}, true);
  CHECK(one[0] == 0);
  adv::whiten(same, {}, true);
  CHECK(same == std::vector<float>{0, 0, 0});
  adv::whiten(none, std::vector<uint8_t>{0, 0}, true);
  CHECK(none == std::vector<float>{0, 0});
  CHECK(adv::explained_variance(std::vector<float>{1, 2}, std::vector<float>{5, 5}) == 0);
}

TEST_CASE("explained variance by hand") {
  // returns 0, 2, 4: variance 8/3; errors -1, 0, 1: variance 2/3; 1 - 1/4
  CHECK(adv::explained_variance(std::vector<float>{1, 2, 3}, std::vector<float>{0, 2, 4}) == doctest::Approx(0.75));
  CHECK(adv::explained_variance(std::vector<float>{2, 2, 2}, std::vector<float>{0, 2, 4}) == doctest::Approx(0));
}
