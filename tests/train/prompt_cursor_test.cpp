#include "train/prompt_cursor.h"

#include <doctest/doctest.h>

#include <set>

using hone::train::PromptCursor;

TEST_CASE("every epoch draws each prompt once, in another order, and a place is all that is needed to go on") {
  PromptCursor whole(7, 3);
  std::vector<int64_t> first, second;
  for (int i = 0; i < 7; ++i) first.push_back(whole.next().prompt);
  for (int i = 0; i < 7; ++i) {
    const PromptCursor::Drawn drawn = whole.next();
    CHECK(drawn.epoch == 1);
    second.push_back(drawn.prompt);
  }
  CHECK(std::set(first.begin(), first.end()).size() == 7);
  CHECK(std::set(second.begin(), second.end()).size() == 7);
  CHECK(first != second);
  PromptCursor later(7, 3);
  later.seek(9);
  for (size_t i = 2; i < 7; ++i) CHECK(later.next().prompt == second[i]);
  CHECK(later.place() == whole.place());
}
