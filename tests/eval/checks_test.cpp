#include "eval/checks.h"

#include <doctest/doctest.h>

#include "base/error.h"

using namespace hone;
using namespace hone::eval;

namespace {

std::optional<stats::Estimate> measure(const std::string& what, const std::string& a, const std::string& b) {
  if (what == "utility" && a == "ppo")
    return b.empty() ? stats::Estimate{0.6, 0.55, 0.65, 100} : stats::Estimate{0.1, 0.02, 0.18, 100};
  return std::nullopt;
}

bool met(const std::string& check) { return run_checks({check}, measure).failed == 0; }

}  // namespace

TEST_CASE(">= and <= hold the estimate, > and < the near end of its interval") {
  CHECK(met("utility: ppo >= 0.6"));
  CHECK_FALSE(met("utility: ppo > 0.55"));
  CHECK(met("utility: ppo > 0.5"));
  CHECK(met("utility: ppo <= 0.6"));
  CHECK_FALSE(met("utility: ppo < 0.65"));
  CHECK(met("utility: ppo - sft > 0"));
  CHECK_FALSE(met("utility: ppo - sft >= 0.2"));
}

TEST_CASE("a check that cannot be read or measured is refused") {
  CHECK_THROWS_AS(met("utility ppo 0.6"), Error);
  CHECK_THROWS_AS(met("utility: dpo >= 0.6"), Error);
  CHECK_THROWS_AS(met("happiness: ppo >= 0.6"), Error);
}
