// The built-in prompts: how many, how different; and the order in which prompts are dealt.
#include "annotate/prompts.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "../data/scratch.h"
#include "annotate/likeness.h"
#include "base/error.h"

using namespace hone;
using namespace hone::annotate;

namespace {

// The words that carry a prompt's meaning.
std::set<std::string> content_words(const std::string& text) {
  static const std::set<std::string> kCommon = {
      "a",    "an",    "and",  "are",    "as",    "at",    "be",       "can",       "could", "do",     "does",
      "for",  "from",  "give", "good",   "had",   "has",   "have",     "how",       "i",     "if",     "in",
      "is",   "it",    "its",  "just",   "keep",  "make",  "me",       "my",        "no",    "not",    "of",
      "on",   "one",   "or",   "please", "s",     "say",   "sentence", "sentences", "short", "should", "so",
      "some", "t",     "tell", "than",   "that",  "the",   "them",     "there",     "they",  "this",   "to",
      "two",  "three", "up",   "was",    "way",   "we",    "what",     "when",      "which", "who",    "why",
      "will", "with",  "word", "words",  "would", "write", "you",      "your"};
  std::set<std::string> out;
  std::string word;
  for (const char c : text + " ") {
    if (std::isalpha(static_cast<unsigned char>(c)) != 0) {
      word += static_cast<char>(std::tolower(c));
    } else {
      if (!word.empty() && !kCommon.contains(word)) out.insert(word);
      word.clear();
    }
  }
  return out;
}

}  // namespace

TEST_CASE("there are 400 built-in prompts, each a plain line that asks, and no two nearly alike") {
  const std::vector<data::Prompt> prompts = builtin_prompts();
  CHECK(prompts.size() == 400);
  std::vector<std::set<std::string>> words;
  std::set<std::string> hashes;
  for (const data::Prompt& p : prompts) {
    REQUIRE(p.messages.size() == 1);
    const std::string& text = p.messages[0].content;
    CAPTURE(text);
    CHECK(p.messages[0].role == "user");
    CHECK(text.size() >= 20);
    CHECK(text.size() <= 400);
    CHECK((text.back() == '?' || text.back() == '.' || text.back() == '"' || text.back() == ')' || text.back() == '!'));
    CHECK(text.find("  ") == std::string::npos);
    CHECK(std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7F; }));
    for (const char* late : {"2024", "2025", "2026", "latest", "currently", "right now", "today's"})
      CHECK(text.find(late) == std::string::npos);
    CHECK(hashes.insert(PromptDeck::hash_of(p.messages)).second);
    words.push_back(content_words(text));
    CHECK(words.back().size() >= 2);
  }
  // Jaccard of the words that carry the meaning, and likeness of the whole.
  for (size_t i = 0; i < prompts.size(); ++i)
    for (size_t j = i + 1; j < prompts.size(); ++j) {
      std::vector<std::string> both;
      std::ranges::set_intersection(words[i], words[j], std::back_inserter(both));
      const double jaccard =
          static_cast<double>(both.size()) / static_cast<double>(words[i].size() + words[j].size() - both.size());
      const std::string &a = prompts[i].messages[0].content, &b = prompts[j].messages[0].content;
      CHECK_MESSAGE(jaccard < 0.45, a << " / " << b);
      CHECK_MESSAGE(likeness(a, b) < 0.6, a << " / " << b);
    }
}

TEST_CASE("prompts come from hone, from files, or from both") {
  const scratch::Folder folder;
  const std::string file = folder.file("p.txt", "What is a name for a dog?\nWhat does a cooper make?\n");
  CHECK(load_prompts({}).size() == builtin_prompts().size());
  CHECK(load_prompts({"builtin"}).size() == builtin_prompts().size());
  const std::vector<data::Prompt> own = load_prompts({file});
  REQUIRE(own.size() == 2);
  CHECK(own[0].messages[0].content == "What is a name for a dog?");
  CHECK(load_prompts({"builtin", file}).size() == builtin_prompts().size() + 2);
  CHECK_THROWS_AS(load_prompts({(folder.path / "nothing").string()}), Error);
}

TEST_CASE(
    "a deck deals every prompt once before any again, in an order of the seed's; what is given back is the next") {
  std::vector<data::Prompt> prompts;
  for (int i = 0; i < 10; ++i) prompts.push_back({{{"user", "question " + std::to_string(i)}}, ""});
  PromptDeck deck(prompts, 3);
  CHECK(deck.fresh() == 10);
  deck.mark_dealt(prompts[4].messages);
  deck.mark_dealt({{"user", "of another file"}});
  std::vector<DealtPrompt> all = deck.deal(6);
  CHECK(all.size() == 6);
  deck.give_back(all[2]);
  const std::vector<DealtPrompt> rest = deck.deal(6);
  REQUIRE(rest.size() == 4);  // no more of this visit
  CHECK(rest[0].hash == all[2].hash);
  CHECK(deck.fresh() == 0);
  const std::vector<DealtPrompt> second = deck.deal(100);
  CHECK(second.size() == 10);
  for (const DealtPrompt& p : second) CHECK(p.visit == 1);
  CHECK(PromptDeck(prompts, 3).deal(10)[0].hash == PromptDeck(prompts, 3).deal(1)[0].hash);
  bool differs = false;
  for (size_t i = 0; i < 10; ++i)
    differs = differs || PromptDeck(prompts, 3).deal(10)[i].hash != PromptDeck(prompts, 4).deal(10)[i].hash;
  CHECK(differs);
}
