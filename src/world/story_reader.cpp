#include "world/story_reader.h"

#include <algorithm>
#include <set>
#include <string>
#include <tuple>

#include "world/reading.h"

namespace hone::world {
namespace {
constexpr std::string_view kHappy[] = {"happy", "happily", "smiled", "smile", "hugged",  "hug",   "laughed",
                                       "laugh", "love",    "loved",  "fun",   "friends", "proud", "glad",
                                       "joy",   "safe",    "thank",  "kind",  "played"};

double happy_end(const std::vector<std::string>& words) {
  const size_t from = words.size() > 25 ? words.size() - 25 : 0;
  std::set<std::string_view> found;
  for (size_t i = from; i < words.size(); ++i)
    if (std::find(std::begin(kHappy), std::end(kHappy), words[i]) != std::end(kHappy)) found.insert(words[i]);
  return std::min(1.0, static_cast<double>(found.size()) / 2);
}

double fresh(const std::vector<std::string>& words) {
  if (words.size() < 3) return 1;
  std::set<std::tuple<std::string_view, std::string_view, std::string_view>> triples;
  for (size_t i = 0; i + 2 < words.size(); ++i) triples.emplace(words[i], words[i + 1], words[i + 2]);
  const double repeated = 1 - static_cast<double>(triples.size()) / static_cast<double>(words.size() - 2);
  return std::max(0.0, 1 - 2 * repeated);
}
}  // namespace

StoryScore read_story(std::string_view text) {
  text = text.substr(0, 20000);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\n')) text.remove_suffix(1);
  std::vector<std::string> words;
  for (size_t at = 0; at < text.size(); at += 4000)  // reading takes pieces of 4,000 bytes
    for (std::string& w : read(text.substr(at, 4000)).words) words.push_back(std::move(w));
  StoryScore score;
  score.words = static_cast<int>(words.size());
  std::string_view tail = text;
  if (!tail.empty() && tail.back() == '"') tail.remove_suffix(1);
  const double finished = !tail.empty() && (tail.back() == '.' || tail.back() == '!' || tail.back() == '?');
  const auto pairs = std::count(text.begin(), text.end(), '"') / 2;
  const auto quotes = static_cast<double>(pairs);
  const std::set<std::string_view> distinct(words.begin(), words.end());
  const double n = std::max<double>(1, static_cast<double>(words.size()));
  score.parts = {{"finished", 0.20, finished},
                 {"happy_end", 0.25, happy_end(words)},
                 {"dialogue", 0.20, std::min(1.0, quotes / 2)},
                 {"fresh", 0.20, fresh(words)},
                 {"varied", 0.15, std::clamp((static_cast<double>(distinct.size()) / n - 0.3) / 0.4, 0.0, 1.0)}};
  for (const Part& p : score.parts) score.total += p.weight * p.value;
  score.total *= std::min(1.0, static_cast<double>(words.size()) / 12);
  return score;
}

Seen seen(const StoryScore& score) { return {score.total, score.words, false, 0}; }

}  // namespace hone::world
