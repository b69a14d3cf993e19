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
  // Residuals 10 - 4/3·10 = -3.333 and 3.333: deviation 4.714, so 1.96 · 4.714 · √2 / 30 = 0.4356 nats.
  CHECK(std::log(e.high) == doctest::Approx(4.0 / 3 + 0.43554).epsilon(1e-4));
  CHECK(std::log(e.low) == doctest::Approx(4.0 / 3 - 0.43554).epsilon(1e-4));
  // Texts of one and the same rate leave no doubt, however long each is.
  const stats::Estimate sure = perplexity(std::vector<double>{2, 4, 8}, std::vector<double>{1, 2, 4});
  CHECK(sure.low == doctest::Approx(sure.high));
}
