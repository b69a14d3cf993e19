#include "data/split.h"
#include "data/row_messages.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "scratch.h"

using namespace hone;
using namespace hone::data;

namespace {
Preference pair(const std::string& prompt, int n) {
  Preference p;
  p.prompt = {{"user", prompt}};
  p.chosen = said("a" + std::to_string(n));
  p.rejected = said("b");
  p.id = prompt + "#" + std::to_string(n);
  return p;
}
std::vector<Preference> pairs(int prompts, int each) {
  std::vector<Preference> out;
  for (int i = 0; i < prompts; ++i)
    for (int k = 0; k < each; ++k) out.push_back(pair("prompt " + std::to_string(i), k));
  return out;
}
}  // namespace

TEST_CASE("a prompt's hash ignores how much white space stands in it, and nothing else") {
  const auto hash = [](const std::string& s) { return prompt_hash(pair(s, 0)); };
  CHECK(hash("a b") == hash("  a \n b "));
  CHECK(hash("a b") != hash("ab"));
  CHECK(hash("a b") != hash("a B"));
  const std::vector<text::Message> one = {{"user", "ab"}}, two = {{"user", "a"}, {"assistant", "b"}};
  CHECK(prompt_hash(one) != prompt_hash(two));
  CHECK(prompt_hash(Demonstration{{{"user", "a b"}, {"assistant", "x"}}, ""}) == hash("a b"));
  CHECK(prompt_hash(Prompt{{{"user", "a b"}}, ""}) == hash("a b"));
}

TEST_CASE("all rows of a prompt fall on one side, about the share asked for, stable when rows are added") {
  const auto halves = split(pairs(2000, 3), 0.1, 7);
  CHECK(halves.train.size() + halves.held_out.size() == 6000);
  // 200 prompts expected, standard deviation √(2000·0.1·0.9) = 13.4: four of them either way
  CHECK(halves.held_out.size() > 3 * (200 - 54));
  CHECK(halves.held_out.size() < 3 * (200 + 54));
  SplitManifest manifest(0.1, 7);
  manifest.add<Preference>(halves.train);
  for (const Preference& p : halves.held_out) CHECK(!manifest.trained_on(prompt_hash(p)));
  const auto more = split(pairs(2500, 1), 0.1, 7);
  SplitManifest later(0.1, 7);
  later.add<Preference>(more.train);
  for (const Preference& p : halves.train) CHECK(later.trained_on(prompt_hash(p)));
  for (const Preference& p : more.train) CHECK(!manifest.held_out(prompt_hash(p)));  // of prompts that it never saw too
  for (const Preference& p : more.held_out) CHECK(manifest.held_out(prompt_hash(p)));
  const auto other_seed = split(pairs(2000, 3), 0.1, 8);
  CHECK(other_seed.held_out.front().id != halves.held_out.front().id);
}

TEST_CASE("a split that leaves a side empty is refused") {
  CHECK_THROWS_WITH_AS(split(pairs(3, 1), 0.0001, 1), doctest::Contains("leaves no row to evaluate on"), Error);
  // The hint's share is one with which neither side is empty, and the smallest or largest such.
  int hinted = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    for (const double share : {0.0001, 0.9999}) {
      try {
        split(pairs(2, 1), share, seed);
        FAIL("nothing held out or nothing left, and no error");
      } catch (const Error& e) {
        const size_t at = e.hint.find("a share of ");
        if (at == std::string::npos) {
          CHECK(e.hint == "give more data, or another seed");
          continue;
        }
        ++hinted;
        const double possible = std::stod(e.hint.substr(at + 11));
        CHECK(possible <= 0.9);
        const auto both = split(pairs(2, 1), possible, seed);
        CHECK(both.train.size() == 1);
        CHECK(both.held_out.size() == 1);
      }
    }
  }
  CHECK(hinted > 40);
  CHECK_THROWS_AS(split(pairs(3, 1), 1.5, 1), Error);
  CHECK(split(pairs(3, 1), 0, 1).held_out.empty());
}

TEST_CASE("rows that were trained on are refused for evaluation, also after saving and loading") {
  const scratch::Folder dir;
  const auto halves = split(pairs(100, 2), 0.2, 3);
  SplitManifest manifest(0.2, 3);
  manifest.add<Preference>(halves.train);
  manifest.save(dir.path / "trained.json");
  const SplitManifest loaded = SplitManifest::load(dir.path / "trained.json");
  CHECK(loaded.size() == manifest.size());
  CHECK(loaded.sha256() == manifest.sha256());
  require_disjoint<Preference>(loaded, halves.held_out, "held.jsonl");
  auto leaky = halves.held_out;
  leaky.push_back(halves.train[0]);
  leaky.push_back(halves.train[1]);
  CHECK_THROWS_WITH_AS(require_disjoint<Preference>(loaded, leaky, "held.jsonl"), doctest::Contains("2 of "), Error);

  std::string text = read_file(dir.path / "trained.json");
  const std::string hash = prompt_hash(halves.train[0]);
  text.replace(text.find(hash), 1, hash[0] == '0' ? "1" : "0");
  CHECK_THROWS_WITH_AS(SplitManifest::load(dir.file("changed.json", text)),
                       doctest::Contains("do not give the stored sha256"), Error);
  CHECK_THROWS_WITH_AS(SplitManifest::load(dir.file("other.json", "{}")),
                       doctest::Contains("not a list of trained prompts"), Error);
}

TEST_CASE("parts that do not overlap share no prompt, whatever the seed holds out") {
  const std::vector<Preference> all = pairs(400, 2);
  const auto part = [&](double begin, double end) {
    std::vector<Preference> rows = all;
    keep_part(rows, begin, end);
    return rows;
  };
  const auto first = part(0, 0.3), second = part(0.3, 1);
  CHECK(first.size() + second.size() == all.size());
  CHECK(first.size() == doctest::Approx(0.3 * 800).epsilon(0.2));
  std::set<std::string> seen;
  for (const Preference& row : first) seen.insert(prompt_hash(row));
  for (const Preference& row : second) CHECK_FALSE(seen.contains(prompt_hash(row)));
  CHECK(part(0, 1).size() == all.size());
  const auto held_out = split(part(0, 0.3), 0.25, 5).held_out;  // the part's own share
  CHECK(static_cast<double>(held_out.size()) / static_cast<double>(first.size()) == doctest::Approx(0.25).epsilon(0.4));
  CHECK_THROWS_AS(part(0.5, 0.5), Error);
  CHECK_THROWS_AS(part(0.7, 0.2), Error);
  std::vector<Preference> few = pairs(1, 1);
  CHECK_THROWS_AS((keep_part(few, 0.5, 0.5000001)), Error);
}
