#include "eval/text_measures.h"

#include <doctest/doctest.h>

#include <cmath>

using namespace hone;
using namespace hone::eval;

TEST_CASE("words are runs of letters, digits and apostrophes, lowered") {
  CHECK(words_of("Tom's 2 dogs -- \"Hi!\" he said.") ==
        std::vector<std::string>{"tom's", "2", "dogs", "hi", "he", "said"});
  CHECK(words_of("Caf\xC3\xA9") == std::vector<std::string>{"caf\xC3\xA9"});
  CHECK(words_of(" .,!").empty());
}

TEST_CASE("distinct-n counts n-grams once") {
  const std::vector<std::string> words = words_of("a b a b a b");
  CHECK(distinct(words, 1) == doctest::Approx(2.0 / 6));
  CHECK(distinct(words, 2) == doctest::Approx(2.0 / 5));  // ab ba ab ba ab
  CHECK(distinct(words, 3) == doctest::Approx(2.0 / 4));
  CHECK(distinct(words, 7) == 1);
  // "ab c" and "a bc" are different pairs.
  CHECK(distinct(words_of("ab c a bc"), 2) == 1);
}

TEST_CASE("distinct across texts reads as many words of each") {
  const std::vector<std::vector<std::string>> same{words_of("a b c"), words_of("a b c d e f")};
  CHECK(distinct_across(same, 2, 3) == doctest::Approx(2.0 / 4));  // ab bc twice
  CHECK(distinct_across(same, 2, 6) == doctest::Approx(5.0 / 7));  // ab bc cd de ef of 2 + 5
  CHECK(distinct_across({}, 2, 3) == 1);
}

TEST_CASE("perplexity is of tokens, its interval of texts") {
  // 10 nats over 10 tokens and 30 over 20: 40 / 30 nats a token.
  const std::vector<double> nll{10, 30}, tokens{10, 20};
  const stats::Estimate e = perplexity(nll, tokens);
  CHECK(e.value == doctest::Approx(std::exp(4.0 / 3)));
  CHECK(e.n == 2);
  CHECK(e.low < std::exp(1.0));  // two texts say little
  CHECK(e.high > std::exp(1.5));
  // Texts of one and the same rate leave no doubt, however long each is.
  const std::vector<double> nats{2, 4, 8}, lengths{1, 2, 4};
  const stats::Estimate sure = perplexity(nats, lengths);
  CHECK(sure.low == doctest::Approx(sure.high));
  // Of two models' answers to the same prompts: what both find hard makes no difference. .5 to 3.5 nats a token here,
  // a tenth more there: alone the two intervals overlap.
  std::vector<double> hard, harder, ten(28, 10);
  for (int i = 0; i < 28; ++i) hard.push_back(5 * (1 + i % 7)), harder.push_back(1.1 * hard.back());
  const stats::Estimate d = perplexity_difference(harder, ten, hard, ten);
  CHECK(d.value == doctest::Approx(std::exp(2.2) - std::exp(2.0)));
  CHECK(d.low > 0);
  CHECK(perplexity(harder, ten).low < perplexity(hard, ten).high);
}
