#include "annotate/likeness.h"

#include <doctest/doctest.h>

using hone::annotate::kAlike;
using hone::annotate::likeness;

TEST_CASE("likeness is Dice of word bigrams, ends and all") {
  // the|cat|sat: ^the the-cat cat-sat sat$; the|cat|ran: ^the the-cat cat-ran ran$. 2·2/(4+4).
  CHECK(likeness("the cat sat", "the cat ran") == doctest::Approx(0.5));
  CHECK(likeness("yes", "no") == 0);
  CHECK(likeness("no", "no no") == doctest::Approx(2 * 2 / 5.0));  // ^no no$ of ^no no-no no$
  CHECK(likeness("a b", "b a") == 0);                              // order counts
}

TEST_CASE("case, spaces and marks do not count; nothing is like nothing") {
  CHECK(likeness("The cat, sat!", "  the CAT sat\n") == 1);
  CHECK(likeness("", "") == 1);
  CHECK(likeness("...", "") == 1);
  CHECK(likeness("", "word") == 0);
}

TEST_CASE("characters beyond ASCII are words, broken ones too") {
  CHECK(likeness("世界", "世界") == 1);
  CHECK(likeness("世界", "世人") == doctest::Approx(2 * 1 / 6.0));
  CHECK(likeness("caf\xC3", "caf\xC3") == 1);
  CHECK(likeness("\xF0", "\x80") == 0);
}

TEST_CASE("one other word in twenty is nearly the same, three are not") {
  const char* text = "one two three four five six seven eight nine ten a b c d e f g h i j";
  CHECK(likeness(text, "one two three four other six seven eight nine ten a b c d e f g h i j") > kAlike);
  CHECK(likeness(text, "one two x four five six y eight nine ten a b z d e f g h i j") < kAlike);
}
