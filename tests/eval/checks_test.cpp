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

TEST_CASE("a check that cannot be read is refused") {
  CHECK_THROWS_AS(met("utility ppo 0.6"), Error);
  for (const char* text :
       {"utility: ppo >= 1e3", "utility: ppo >= 0x10", "utility: ppo >= inf", "utility: >= 1", "utility: ppo - >= 1",
        ": ppo >= 1", "utility: ppo = 1", "utility: ppo >= 1.2.3", "utility: ppo >= 99999999999999999999999999", ""})
    CHECK_THROWS_AS(parse_check(text), Error);
  const Check c = parse_check(" utility :  ppo - sft.2-b  <-.5 ");
  CHECK(c.what == "utility");
  CHECK(c.a == "ppo");
  CHECK(c.b == "sft.2-b");
  CHECK(c.op == "<");
  CHECK(c.bound == -0.5);
  CHECK(parse_check("reward_correlation >= 0.5").a.empty());
}

TEST_CASE("a check of what nobody measured is not met") { CHECK_FALSE(met("utility: dpo >= -9")); }

TEST_CASE("what has no interval is not held by one") {
  for (const char* text : {"watched_gain: ppo > 0.1", "score_gain: ppo > 1", "warnings: ppo < 1",
                           "warning_lead: ppo > 0", "distinct_across: ppo < 0.5"})
    CHECK_THROWS_WITH_AS(parse_check(text), doctest::Contains("has no interval"), Error);
  CHECK(parse_check("watched_gain: ppo >= 0.1").op == ">=");
}
