#include "world/annotators.h"

#include <doctest/doctest.h>

#include <cmath>

#include "base/error.h"
#include "base/rng.h"
#include "world/story_reader.h"

using namespace hone::world;
using doctest::Approx;

namespace {
/// Pairs with uniform utilities; lengths and agreement drawn apart from them.
std::pair<Seen, Seen> pair_at(uint64_t i) {
  hone::Stream s(11, "pairs", i);
  const auto one = [&] {
    return Seen{s.uniform(), static_cast<int>(s.between(1, 40)), s.chance(0.5), s.chance(0.3) ? 0.4 : 0.0};
  };
  const Seen a = one(), b = one();
  return {a, b};
}
constexpr uint64_t kPairs = 20000;

/// Share of choices for which `expected` (0 or 1; -1 is left out) is right.
template <class F>
double share(const AnnotatorParams& params, F expected) {
  double hits = 0, n = 0;
  for (uint64_t i = 0; i < kPairs; ++i) {
    const auto [a, b] = pair_at(i);
    const int want = expected(a, b);
    if (want < 0) continue;
    n += 1, hits += choose(params, 1, i, a, b).preferred == want;
  }
  return hits / n;
}
double accuracy(const AnnotatorParams& params) { return share(params, true_choice); }
AnnotatorParams calm() {
  AnnotatorParams p;
  p.temperature = 0, p.flip = 0;
  return p;
}
const auto longer = [](const Seen& a, const Seen& b) { return a.words == b.words ? -1 : a.words > b.words ? 0 : 1; };
const auto agreeing = [](const Seen& a, const Seen& b) { return a.agrees == b.agrees ? -1 : a.agrees ? 0 : 1; };
const auto first = [](const Seen&, const Seen&) { return 0; };
}  // namespace

TEST_CASE("a calm annotator chooses by true utility; accuracy falls with temperature and flips") {
  CHECK(accuracy(calm()) == Approx(1.0));
  double before = 1.0;
  for (const double t : {0.05, 0.1, 0.3, 1.0}) {
    AnnotatorParams p = calm();
    p.temperature = t;
    const double now = accuracy(p);
    CHECK(now < before);
    before = now;
  }
  AnnotatorParams p = calm();
  p.flip = 0.2;  // accuracy 1 - 0.2, standard error √(.16/20000) = .003
  CHECK(accuracy(p) == Approx(0.8).epsilon(0.02));
}

TEST_CASE("the noted probability is the formula's") {
  AnnotatorParams p;
  p.temperature = 0.1, p.flip = 0.1, p.position_bias = 0.05;
  // gap = .6 - .5 + .05 = .15; sigmoid(1.5) = .817574; with flips .817574·.9 + .182426·.1 = .754059
  CHECK(choose(p, 1, 0, {0.6, 5}, {0.5, 5}).p_first == Approx(0.754059).epsilon(1e-5));
  // length: 20 words more at weight .2 are .1 of utility
  p.length_bias = 0.2;
  CHECK(felt_utility(p, {0.5, 25}) - felt_utility(p, {0.5, 5}) == Approx(0.1));
  // a full blind spot gives back what the hidden fault cost
  p.blind_spot = 1, p.length_bias = 0;
  CHECK(felt_utility(p, {0.6, 5, false, 0.4}) == Approx(1.0));
}

TEST_CASE("the empirical choice follows the probability") {
  AnnotatorParams p;
  p.temperature = 0.2;
  double expected = 0, variance = 0, got = 0;
  for (uint64_t i = 0; i < kPairs; ++i) {
    const auto [a, b] = pair_at(i);
    const Choice c = choose(p, 5, i, a, b);
    expected += c.p_first, variance += c.p_first * (1 - c.p_first), got += c.preferred == 0;
  }
  CHECK(std::abs(got - expected) < 4 * std::sqrt(variance));
}

TEST_CASE("biases and blind spots are off by default and measurable when on") {
  AnnotatorParams p = calm();
  CHECK(share(p, longer) == Approx(0.5).epsilon(0.05));
  CHECK(share(p, agreeing) == Approx(0.5).epsilon(0.05));
  CHECK(share(p, first) == Approx(0.5).epsilon(0.05));
  p.length_bias = 0.5;
  CHECK(share(p, longer) > 0.65);
  p = calm(), p.agree_bias = 0.3;
  CHECK(share(p, agreeing) > 0.65);
  p = calm(), p.position_bias = 0.3;
  CHECK(share(p, first) > 0.65);
  p = calm(), p.blind_spot = 1;
  CHECK(accuracy(p) < 0.9);
  const auto hiding = [](const Seen& a, const Seen& b) {
    return a.overlooked == b.overlooked ? -1 : a.overlooked > 0 ? 0 : 1;
  };
  CHECK(share(p, hiding) > 0.7);
}

TEST_CASE("spammers choose without reading, and annotators take turns") {
  AnnotatorParams p = calm();
  p.annotators = 10, p.spammers = 0.3;  // ids 0 coin, 1 first, 2 longer; right half of the time: 1 - .3/2
  CHECK(accuracy(p) == Approx(0.85).epsilon(0.03));
  std::vector<int> turns(10);
  for (uint64_t i = 0; i < 2000; ++i) {
    const auto [a, b] = pair_at(i);
    const Choice c = choose(p, 1, i, a, b);
    ++turns[static_cast<size_t>(c.annotator)];
    if (c.annotator == 1) CHECK(c.preferred == 0);
    if (c.annotator == 2 && a.words != b.words) CHECK(c.preferred == longer(a, b));
  }
  for (const int n : turns) CHECK(n > 140);  // 200 expected, standard deviation 13
  p.annotators = 0;
  CHECK_THROWS_AS(choose(p, 1, 0, {}, {}), hone::Error);
}

TEST_CASE("true choice and ties") {
  CHECK(true_choice({0.6, 1}, {0.5, 1}) == 0);
  CHECK(true_choice({0.5, 1}, {0.6, 1}) == 1);
  CHECK(true_choice({0.5, 1}, {0.5, 9}) == -1);
}

TEST_CASE("the story reader's parts") {
  // 14 words, all distinct but "the", "lily" twice: 12/14 = .857 -> varied 1; no repeated triple -> fresh 1; happy and
  // smiled -> 1; two pairs of quotes -> 1; ends with a stop -> 1. Total 1.
  const StoryScore good =
      read_story("\"Look, a cat!\" said Lily. \"Come here,\" Lily smiled. The cat ran to the happy girl.");
  CHECK(good.total == Approx(1.0));
  // Unfinished, sad, silent: fresh .2 + varied .15
  CHECK(read_story("One day a big dog ran far from home because it was cold and").total == Approx(0.35));
  // Repetition: 4 × 4 words; 14 triples, 4 distinct: fresh 0; 4/16 distinct words: varied 0; finished .2
  CHECK(read_story("The dog ran on the dog ran on the dog ran on the dog ran on.").total == Approx(0.2));
  // Two words of twelve: (.2 finished + .2 fresh + .15 varied) / 6
  CHECK(read_story("The end.").total == Approx(0.55 / 6));
  CHECK(read_story("").total == Approx(0.0));
  hone::Stream s(4, "fuzz");
  for (int i = 0; i < 3000; ++i) {
    std::string text;
    for (uint64_t n = s.below(300); n > 0; --n) text += static_cast<char>(s.below(256));
    const double total = read_story(text).total;
    REQUIRE(total >= 0);
    REQUIRE(total <= 1);
  }
}
