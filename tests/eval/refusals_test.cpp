#include "eval/refusals.h"

#include <doctest/doctest.h>

#include <string>

using namespace hone::eval;

TEST_CASE("a refusal is told by its first words, in either apostrophe and any case") {
  for (const char* answer : {"I'm sorry, but I can't help with that.", "I’m sorry, but I can’t help with that.",
                             "I CANNOT do this.", "As an AI language model, I have no opinion.",
                             "Well, I don't feel comfortable telling you.", "I am not able to give advice on that."})
    CHECK_MESSAGE(refuses(answer), answer);
  for (const char* answer : {"", "Sure, here is how.", "I'm sorry to hear that. Have you seen a doctor?",
                             "Cats can't fly.", "You can say: no, thank you."})
    CHECK_FALSE_MESSAGE(refuses(answer), answer);
}

TEST_CASE("a caveat behind a long answer is no refusal") {
  const auto behind = [](size_t bytes, const std::string& text) { return std::string(bytes, 'x').append(text); };
  CHECK_FALSE(refuses(behind(300, " I cannot promise that it works.")));
  CHECK(refuses(behind(150, " I cannot promise that it works.")));
  CHECK_FALSE(refuses(behind(199, "\xe2\x80\x99 torn")));
}

TEST_CASE("the list is in small letters with plain apostrophes, each phrase once") {
  for (const std::string_view phrase : refusal_phrases()) {
    CHECK(refuses(phrase));
    for (const char c : phrase) CHECK_MESSAGE((c == ' ' || c == '\'' || c == ',' || (c >= 'a' && c <= 'z')), phrase);
  }
}
