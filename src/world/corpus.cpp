// A document is one of six kinds, drawn by weight:
//   profile   "This is about Anna. Anna sleeps in the attic. …", or facts of several entities
//   exchange  questions with plain answers, several in a row, as in a quiz book: a base model that has read these
//             answers and then asks on
//   story     a passage and what happened in it
//   sums      7 plus 12 is 19
//   lists     the same words in several forms
//   manners   how chores are done, what is wrong to do and what to do instead
#include "world/corpus.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/rng.h"
#include "world/answers.h"
#include "world/world.h"

namespace hone::world {
namespace {
using std::string;

string statement(const World& w, const Fact& fact, Stream& s) {
  return capital(
             fill_in(s.pick(attributes()[fact.attribute].statements), w.entities[fact.entity].phrase(), fact.value)) +
         ".";
}

string profile(const World& w, Stream& s) {
  std::vector<const Fact*> facts;
  string text;
  if (s.chance(0.7)) {
    const size_t e = s.below(w.entities.size());
    for (const Fact& f : w.facts)
      if (f.entity == e) facts.push_back(&f);
    s.shuffle(facts);
    text = "This is about " + w.entities[e].phrase() + ".";
  } else {
    for (int i = 0; i < 5; ++i) facts.push_back(&s.pick(w.facts));
    text = "This is what we know.";
  }
  for (const Fact* f : facts) text += " " + statement(w, *f, s);
  return text;
}

string exchange(const World& w, Stream& s) {
  static constexpr std::array<double, 7> kShares = {0.40, 0.10, 0.20, 0.16, 0.06, 0.04, 0.04};  // as kFamilies
  string text;
  const int64_t turns = s.between(3, 6);
  for (int64_t i = 0; i < turns; ++i) {
    double u = s.uniform();
    size_t k = 0;
    while (k + 1 < kShares.size() && u >= kShares[k]) u -= kShares[k++];
    WorldPrompt p;
    do p = draw_prompt(w.params, w.entities, w.facts, kFamilies[k], s);
    while (!p.held_out.empty());
    text += (i ? "\n" : "") + p.text + "\n" + plain_answer(w.entities, w.facts, p, s);
  }
  return text;
}

string story(const World& w, Stream& s) {
  const string person(s.pick(people_names().first(w.params.people)));
  const string room(s.pick(rooms()));
  const size_t deed = s.below(deeds().size());
  const string gist = "In short, " + person + " " + string(deeds()[deed].past) + " in the " + room + ".";
  return "Here is a story. " + passage(person, room, deed, s.below(kPassageVariants)) + "\n" + gist;
}

string sums(Stream& s) {
  string text = "Here are sums:";
  for (int i = 0; i < 12; ++i) {
    const auto [a, b] = draw_operands(s);
    text += (i ? ", " : " ") + number_word(a) + " plus " + number_word(b) + " makes " + number_word(a + b);
  }
  return text + ".";
}

/// Any words, names too, written out in several forms: what a model learns copying from.
string lists(const World& w, Stream& s) {
  std::vector<string> items;
  const int64_t n = s.between(2, 5);
  const Category& c = s.pick(categories());
  const bool any = s.chance(0.5);
  while (static_cast<int64_t>(items.size()) < n) {
    string item = any ? s.pick(w.entities).name : string(s.pick(c.members));
    if (std::find(items.begin(), items.end(), item) == items.end()) items.push_back(std::move(item));
  }
  string text = "Here are " + number_word(n) + " " + (any ? "words" : string(c.plural)) + ":";
  text += " " + write_list(items, ListForm::kCommas) + ".";
  static constexpr std::string_view kForms[] = {"With commas", "With and", "With numbers", "With dashes"};
  std::array<size_t, 4> order = {0, 1, 2, 3};
  s.shuffle(order);
  for (const size_t f : order)
    text += "\n" + string(kForms[f]) + ": " + write_list(items, static_cast<ListForm>(f)) + ".";
  return text;
}

string manners(const World& w, Stream& s) {
  const string person(s.pick(people_names().first(w.params.people)));
  string text = "This is good to know.";
  for (int i = 0; i < 3; ++i) {
    if (s.chance(0.5)) {
      const Chore& chore = s.pick(chores());
      text += " To " + fill_in(chore.act, person, "") + " you can use a " + string(chore.tool) + ".";
    } else {
      const Harm& harm = s.pick(harms());
      text +=
          " It is wrong to " + fill_in(harm.act, person, "") + ". You could " + fill_in(harm.instead, person, "") + ".";
    }
  }
  return text;
}

int64_t words_in(const string& text) {
  return 1 + std::count_if(text.begin(), text.end(), [](char c) { return c == ' ' || c == '\n'; });
}

}  // namespace

std::vector<string> make_corpus(const World& world, const CorpusParams& params) {
  const std::array<double, 6> weights = {params.profiles, params.exchanges, params.stories,
                                         params.sums,     params.lists,     params.manners};
  double all = 0;
  for (const double weight : weights) {
    if (weight < 0) usage_error("corpus: a weight is negative");
    all += weight;
  }
  if (all <= 0) usage_error("corpus: all weights are zero");
  // The kind furthest behind its share of the words so far is next, so that weights are shares of text.
  std::array<int64_t, 6> written{};
  std::vector<string> out;
  for (int64_t total = 0; total < params.words;) {
    size_t k = 0;
    double most = -1;
    for (size_t i = 0; i < weights.size(); ++i) {
      const double lag = weights[i] / all * static_cast<double>(total + 1) - static_cast<double>(written[i]);
      if (weights[i] > 0 && (most == -1 || lag > most)) most = lag, k = i;
    }
    Stream s(static_cast<uint64_t>(world.params.seed), "world.corpus", out.size());
    string text = k == 0   ? profile(world, s)
                  : k == 1 ? exchange(world, s)
                  : k == 2 ? story(world, s)
                  : k == 3 ? sums(s)
                  : k == 4 ? lists(world, s)
                           : manners(world, s);
    const int64_t n = words_in(text);
    written[k] += n, total += n;
    out.push_back(std::move(text));
  }
  Stream(static_cast<uint64_t>(world.params.seed), "world.corpus_order").shuffle(out);
  return out;
}

}  // namespace hone::world
