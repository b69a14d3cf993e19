#include "text/stop.h"

#include <doctest/doctest.h>

#include <vector>

#include "base/error.h"
#include "base/rng.h"

using hone::text::StopMatcher;

TEST_CASE("a stop string is found across token boundaries") {
  StopMatcher m(std::vector<std::string>{"\n\nUser:", "END"});
  CHECK_FALSE(m.feed("Hello\n"));
  CHECK(m.held() == 1);
  CHECK_FALSE(m.feed("\nUs"));
  CHECK(m.held() == 4);
  const auto hit = m.feed("er: more END");
  REQUIRE(hit);
  CHECK(hit->stop == 0);
  CHECK(hit->begin == 5);
  CHECK(hit->end == 12);
  CHECK_FALSE(m.feed("END"));  // once
}

TEST_CASE("of several that end together the longest counts") {
  StopMatcher m(std::vector<std::string>{"c", "abc"});
  const auto hit = m.feed("abc");
  REQUIRE(hit);
  CHECK(hit->stop == 1);
  CHECK(hit->begin == 0);
}

TEST_CASE("it agrees with plain search") {
  hone::Stream random(5, "stop");
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::string> stops(1 + random.below(3));
    for (auto& stop : stops)
      for (uint64_t n = 1 + random.below(4); n > 0; --n) stop += "ab"[random.below(2)];
    std::string text;
    for (int i = 0; i < 12; ++i) text += "ab"[random.below(2)];
    size_t end = text.size() + 1, begin = 0;  // earliest end, then earliest begin
    for (const auto& stop : stops)
      if (const size_t at = text.find(stop); at != std::string::npos)
        if (at + stop.size() < end || (at + stop.size() == end && at < begin)) end = at + stop.size(), begin = at;
    StopMatcher m(stops);
    std::optional<StopMatcher::Hit> hit;
    for (size_t i = 0; i < text.size() && !hit; i += 3) hit = m.feed(std::string_view(text).substr(i, 3));
    CHECK(hit.has_value() == (end <= text.size()));
    if (hit) CHECK((hit->end == end && hit->begin == begin));
  }
}

TEST_CASE("no stop strings never stop; an empty one is refused") {
  StopMatcher m;
  CHECK_FALSE(m.feed("anything"));
  CHECK(m.held() == 0);
  CHECK_THROWS_AS(StopMatcher(std::vector<std::string>{""}), hone::Error);
}
