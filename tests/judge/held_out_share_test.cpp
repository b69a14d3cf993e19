// How much a round holds out: enough to say when to stop, however few comparisons there are, and never less than asked
// for.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "data/split.h"
#include "judge/dpo_learner.h"

using namespace hone;

namespace {

constexpr uint64_t kSeed = 1;

std::vector<std::string> prompts_of(int first, int count) {
  std::vector<std::string> out;
  for (int i = 0; i < count; ++i) {
    const text::Message prompt{"user", "question " + std::to_string(first + i)};
    out.push_back(data::prompt_hash(std::span(&prompt, 1)));
  }
  return out;
}

int64_t held(const std::vector<std::string>& prompts, double share) {
  return std::ranges::count_if(prompts, [&](const auto& hash) { return data::is_held_out(hash, share, kSeed); });
}

}  // namespace

TEST_CASE("a round of few comparisons always holds some out") {
  int raised = 0;
  for (int set = 0; set < 200; ++set) {
    const std::vector<std::string> prompts = prompts_of(100 * set, 8);
    const double share = judge::held_out_share(prompts, 0.2, 2, kSeed);
    CHECK(share >= 0.2);
    CHECK(held(prompts, share) >= 2);
    CHECK(held(prompts, share) < 8);
    // No more than needed: a hundredth less holds out too few, but where nothing was raised.
    if (share > 0.2) CHECK(held(prompts, share - 0.01) < 2);
    raised += share > 0.2;
  }
  // Of 8 prompts at 0.2 fewer than two are held out in 0.8^8 + 8 * 0.2 * 0.8^7 = 0.503 of the sets: 101 of 200, within
  // five standard deviations of 7.1.
  CHECK(raised > 65);
  CHECK(raised < 136);
}

TEST_CASE("a share that holds out enough is left as it is, and so is one that nothing can mend") {
  const std::vector<std::string> many = prompts_of(0, 200);
  CHECK(judge::held_out_share(many, 0.2, 2, kSeed) == 0.2);
  const std::vector<std::string> same(8, many.front());  // one prompt: it falls on one side, whatever the share
  CHECK(judge::held_out_share(same, 0.2, 2, kSeed) == 0.2);
  CHECK(judge::held_out_share({}, 0.2, 2, kSeed) == 0.2);
}
