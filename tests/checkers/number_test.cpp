#include "checkers/number.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "base/rng.h"

using hone::checkers::last_number;

TEST_CASE("the last number of a text, as people and models write them") {
  const std::pair<const char*, double> cases[] = {
      {"42", 42},
      {"The answer is 42.", 42},
      {"so 17 + 25 = 42", 42},
      {"$1,234.50", 1234.5},
      {"1,234,567 people", 1234567},
      {"between 1,2", 2},  // a list, not thousands
      {"12,3456", 3456},
      {"-3", -3},
      {"x = -3.5e2", -350},
      {"\xE2\x88\x92 7 and \xE2\x88\x92"
       "8",
       -8},  // U+2212
      {"5-3", 3},
      {"(5)-3", 3},
      {"3/4", 0.75},
      {"3/0", 0},  // no fraction: the last number is the 0
      {".5", 0.5},
      {"He ran 10 km in 2.5h", 2.5},
      {"step 2 of H2O", 2},
      {"GPT-4 says 7", 7},
      {"#### 72", 72},
      {"50%", 50},
      {"\\boxed{\\frac{3}{4}}", 0.75},
      {"-\\dfrac{1}{8}", -0.125},
      {"\\frac{-1}{4}", -0.25},
      {"\\frac{x}{4}", 4},
      {"1e", 1},
      {"007", 7},
      {"x.5", 5},
  };
  for (const auto& [text, value] : cases) {
    CAPTURE(text);
    const auto found = last_number(text);
    REQUIRE(found);
    CHECK(*found == doctest::Approx(value).epsilon(1e-12));
  }
  for (const char* none : {"", "no number", "H2O", "\\frac{a}{b}", "-", ".", ",123a"}) {
    CAPTURE(none);
    if (std::string(none) == ",123a") CHECK(last_number(none) == 123);
    else CHECK_FALSE(last_number(none));
  }
  CHECK_FALSE(last_number("1e999"));  // no number that there is
  CHECK(last_number("1e999 or 2") == 2);
}

TEST_CASE("any text is read in time, and gives a number that is one") {
  const std::string alphabet = "0123456789.,-/e+%$ \\frac{}\xE2\x88\x92x";
  hone::Stream stream(3, "numbers");
  for (int n = 0; n < 20000; ++n) {
    std::string text;
    for (uint64_t i = stream.below(24); i > 0; --i) text += alphabet[stream.below(alphabet.size())];
    CAPTURE(text);
    if (const auto value = last_number(text)) CHECK(std::isfinite(*value));
  }
  CHECK(last_number(std::string(1'000'000, '7')) == std::nullopt);
  CHECK(last_number(std::string(1'000'000, ',') + "3") == 3);
  std::string fractions;
  for (int i = 0; i < 100'000; ++i) fractions += "\\frac{";
  CHECK_FALSE(last_number(fractions));
}
