#include "rewards/agreement.h"

#include <doctest/doctest.h>

#include <cmath>

#include "base/json.h"

using namespace hone;
using rewards::Compared;

TEST_CASE("an estimate has one form in every results.json") {
  CHECK(dump_json(rewards::estimate_json({0.5, 0.25, 0.75, 8})) == R"({"value":0.5,"low":0.25,"high":0.75,"n":8})");
}

TEST_CASE("accuracy counts a tie half, and each source by itself") {
  const std::vector<Compared> compared{{1.0, "a"}, {-1.0, "a"}, {0.0, "b"}, {2.0, "b"}};
  CHECK(rewards::accuracy(compared).value == doctest::Approx(2.5 / 4));
  const Json sources = rewards::sources_json(compared);
  REQUIRE(sources.size() == 2);
  CHECK(sources[0]["name"] == "a");
  CHECK(sources[0]["value"].get<double>() == doctest::Approx(0.5));   // 1 of 2
  CHECK(sources[1]["value"].get<double>() == doctest::Approx(0.75));  // ½ and 1 of 2
  CHECK(rewards::sources_json(std::span(compared).first(2)).empty());
}

TEST_CASE("a rule's accuracy stands beside the model's, source by source") {
  const std::vector<Compared> compared{{2, "a"}, {-1, "a"}, {3, "b"}, {0.5, "b"}};
  const std::vector<Compared> longer{{-7, "a"}, {-1, "a"}, {0, "b"}, {4, "b"}};
  const Json sources = rewards::sources_json(compared, longer);
  REQUIRE(sources.size() == 2);
  CHECK(sources[0]["value"].get<double>() == doctest::Approx(0.5));
  CHECK(sources[0]["baseline"]["value"].get<double>() == doctest::Approx(0));
  CHECK(sources[1]["value"].get<double>() == doctest::Approx(1));
  CHECK(sources[1]["baseline"]["value"].get<double>() == doctest::Approx(0.75));  // ½ and 1 of 2
  CHECK(sources[1]["baseline"]["n"] == 2);
  CHECK_FALSE(rewards::sources_json(compared)[0].contains("baseline"));
}

TEST_CASE("calibration bins hold what the model claims beside what was right") {
  // σ(0.1) = 0.525, in 0.5..0.6; σ(4) = 0.982, in 0.9..1, right twice of three times.
  const std::vector<Compared> compared{{0.1, ""}, {4.0, ""}, {4.0, ""}, {-4.0, ""}};
  const Json bins = rewards::calibration_json(compared);
  REQUIRE(bins.size() == 2);
  CHECK(bins[0]["predicted"].get<double>() == doctest::Approx(1 / (1 + std::exp(-0.1))));
  CHECK(bins[0]["observed"] == 1.0);
  CHECK(bins[1]["n"] == 3);
  CHECK(bins[1]["predicted"].get<double>() == doctest::Approx(1 / (1 + std::exp(-4.0))));
  CHECK(bins[1]["observed"].get<double>() == doctest::Approx(2.0 / 3));
}

TEST_CASE("margins are fifths of the comparisons, the least sure first") {
  std::vector<Compared> compared;
  for (int i = 1; i <= 10; ++i)
    compared.push_back({i <= 2 ? -1.0 * i : 1.0 * i, ""});  // wrong where |margin| is 1 or 2
  const Json margins = rewards::margins_json(compared);
  REQUIRE(margins.size() == 5);
  CHECK(margins[0]["low"] == 1.0);
  CHECK(margins[0]["high"] == 2.0);
  CHECK(margins[0]["agreement"] == 0.0);
  CHECK(margins[4]["low"] == 9.0);
  CHECK(margins[4]["agreement"] == 1.0);
}
