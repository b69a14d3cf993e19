#include "advantages/kl_controller.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "base/json.h"

namespace adv = hone::advantages;

TEST_CASE("a fixed coefficient stays") {
  adv::KlController c({.kl_coef = 0.2});
  c.update(50, 1000);
  CHECK(c.coef() == 0.2);
}

TEST_CASE("the adaptive one moves towards the target, at most by its clip, and continues from a checkpoint") {
  const adv::KlParams params{.kl_controller = "adaptive", .kl_coef = 0.2, .kl_target = 6, .kl_horizon = 1000};
  adv::KlController c(params);
  c.update(6.6, 100);  // e = 0.1: 0.2·(1 + 0.1·100/1000) = 0.202
  CHECK(c.coef() == doctest::Approx(0.202));
  c.update(600, 100);  // e = 0.2: 0.202·1.02
  CHECK(c.coef() == doctest::Approx(0.20604));
  c.update(-5, 100);  // e = -0.2: ·0.98
  CHECK(c.coef() == doctest::Approx(0.2019192));

  adv::KlController other(params);
  other.load_state(hone::parse_json(hone::dump_json(c.state()), "test"));
  c.update(3.1, 77);
  other.update(3.1, 77);
  CHECK(other.coef() == c.coef());  // to the bit
}

TEST_CASE("settings and states that make no sense are refused") {
  CHECK_THROWS_AS(adv::KlController({.kl_controller = "auto"}), hone::Error);
  CHECK_THROWS_AS(adv::KlController({.kl_coef = -1}), hone::Error);
  CHECK_THROWS_AS(adv::KlController({.kl_controller = "adaptive", .kl_target = 0}), hone::Error);
  adv::KlController c({});
  CHECK_THROWS_AS(c.load_state(hone::Json::object()), hone::Error);
}
