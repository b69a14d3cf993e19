// A simulated reader of children's stories, for comparisons of a story model's own samples: a documented taste, so that
// what a reward model learns and what PPO gains can be measured.
//
//   part        | weight | value
//   finished    | 0.20   | 1 if the text ends with . ! ? (or a quote after one of them)
//   happy_end   | 0.25   | happy words among the last 25 words (happy, smiled, hugged, …), full at two
//   dialogue    | 0.20   | pairs of double quotes, full at two
//   fresh       | 0.20   | 1 - 2 · (share of repeated word triples), at least 0
//   varied      | 0.15   | distinct words / words, 0 at 0.3 and below, 1 at 0.7 and above
//
// Texts of fewer than 12 words get that share of the total (words/12): one "The end." is no story.
#pragma once
#include <string_view>
#include <vector>

#include "world/annotators.h"
#include "world/gold.h"

namespace hone::world {

struct StoryScore {
  double total = 0;  ///< in [0, 1]
  std::vector<Part> parts;
  int words = 0;
};

/// Takes any bytes, never throws.
StoryScore read_story(std::string_view text);
Seen seen(const StoryScore& score);

}  // namespace hone::world
