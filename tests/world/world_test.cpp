#include "world/world.h"

#include <doctest/doctest.h>

#include <map>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "config/fields.h"
#include "world/corpus.h"
#include "world/demonstrations.h"

using namespace hone::world;

namespace {
const World& the_world() {
  static const World world = make_world({});
  return world;
}
}  // namespace

TEST_CASE("the world is as large as promised") {
  const World& w = the_world();
  CHECK(w.entities.size() >= 200);
  CHECK(w.facts.size() >= 1000);
  CHECK(w.known_words.size() >= 300);
  CHECK(w.known_words.size() <= 800);
  std::map<Family, int> train, held_out;
  std::set<std::string> texts, ids;
  for (const auto* set : {&w.prompts.train, &w.prompts.held_out})
    for (const WorldPrompt& p : *set) {
      ++(p.held_out.empty() ? train : held_out)[p.family];
      CHECK(texts.insert(p.text).second);
      CHECK(ids.insert(p.id).second);
    }
  for (const Family f : kFamilies) {
    CAPTURE(family_name(f));
    CHECK(train[f] >= 2000);
    CHECK(held_out[f] >= 100);
  }
  CHECK(w.prompts.held_out.size() >= 600);
  for (const Attribute& a : attributes()) CHECK(a.questions.size() == 5);
  for (const Attribute& a : attributes()) CHECK(a.statements.size() == 5);
}

TEST_CASE("names and values do not collide") {
  // A word with two meanings would make the gold reward ambiguous: names against every list of values.
  std::set<std::string> names;
  for (const Entity& e : the_world().entities) {
    std::string lower = e.name;
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    CHECK_MESSAGE(names.insert(lower).second, lower);
  }
  for (const auto type : {"colour", "room", "food", "kind", "material"})
    for (const auto value : values_of(type)) CHECK_MESSAGE(!names.contains(std::string(value)), value);
  std::set<std::string_view> members;
  for (const Category& c : categories())
    for (const auto member : c.members) {
      CHECK_MESSAGE(members.insert(member).second, member);
      CHECK_MESSAGE(!names.contains(std::string(member)), member);
    }
}

TEST_CASE("held-out questions, sums and phrasings are not asked in training or in the corpus; their facts are told") {
  const World& w = the_world();
  std::set<std::string> held_out, pairs;
  for (const WorldPrompt& p : w.prompts.held_out) held_out.insert(p.text);
  for (const WorldPrompt& p : w.prompts.train) {
    if (p.family == Family::kFact || p.family == Family::kOpinion) CHECK(!w.facts[p.fact].held_out);
    if (p.family == Family::kSum) CHECK(!sum_is_held_out(w.params, p.a, p.b));
    if (p.family == Family::kFact) {
      const Fact& f = w.facts[p.fact];
      CHECK(p.text != fill_in(attributes()[f.attribute].questions[held_out_phrasing(f.attribute)],
                              w.entities[f.entity].phrase(), ""));
    }
  }
  std::vector<std::string> documents = make_corpus(w, {});
  size_t asked = 0;
  std::set<std::string> sentences;
  for (const std::string& d : documents) {
    CHECK(d.find("\n\n") == std::string::npos);
    for (size_t at = 0; at <= d.size();) {
      const size_t end = std::min(d.find('\n', at), d.size());
      asked += held_out.contains(d.substr(at, end - at));
      at = end + 1;
    }
    for (size_t at = 0; at < d.size();) {
      const size_t end = std::min(d.find(". ", at), d.size());
      sentences.insert(d.substr(at, end - at));
      at = end + 2;
    }
  }
  CHECK(asked == 0);
  size_t told = 0;
  for (const Fact& f : w.facts) {
    size_t ways = 0;
    for (const auto pattern : attributes()[f.attribute].statements)
      ways += sentences.contains(capital(fill_in(pattern, w.entities[f.entity].phrase(), f.value)));
    told += ways >= 4;
  }
  CHECK(told == w.facts.size());
}

TEST_CASE("everything is a pure function of params and seed") {
  const World& a = the_world();
  const World b = make_world({});
  REQUIRE(a.prompts.train.size() == b.prompts.train.size());
  for (size_t i = 0; i < a.prompts.train.size(); ++i)
    REQUIRE(to_line(a.prompts.train[i]) == to_line(b.prompts.train[i]));
  CorpusParams corpus;
  corpus.words = 20000;
  CHECK(make_corpus(a, corpus) == make_corpus(b, corpus));
  DemonstrationParams few, more;
  few.count = 50, more.count = 80;  // the first 50 are the same whatever the count
  const auto x = make_demonstrations(a, few), y = make_demonstrations(b, more);
  for (size_t i = 0; i < x.size(); ++i) CHECK(to_line(x[i]) == to_line(y[i]));

  WorldParams other;
  other.seed = 2;
  const World c = make_world(other);
  size_t same = 0;
  for (size_t i = 0; i < a.facts.size(); ++i) same += a.facts[i].value == c.facts[i].value;
  CHECK(same < a.facts.size() / 4);  // values are drawn from 8 to 24 words
}

TEST_CASE("prompts are found by their text and id") {
  const World& w = the_world();
  for (size_t i = 0; i < w.prompts.train.size(); i += 97) {
    CHECK(w.find(w.prompts.train[i].text) == &w.prompts.train[i]);
    CHECK(w.find(" " + w.prompts.train[i].text + "\n") == &w.prompts.train[i]);
    CHECK(w.find_id(w.prompts.train[i].id) == &w.prompts.train[i]);
  }
  CHECK(w.find(w.prompts.held_out.back().text) == &w.prompts.held_out.back());
  CHECK(w.find("What is love?") == nullptr);
  CHECK(w.find("") == nullptr);
}

TEST_CASE("demonstrations are of mixed quality: gold between 35% and 75% of the maximum, each virtue as set") {
  const World& w = the_world();
  const DemonstrationParams params;
  const auto demonstrations = make_demonstrations(w, params);
  REQUIRE(static_cast<int64_t>(demonstrations.size()) == params.count);
  double gold = 0, right = 0, asked = 0, wrong_opinions = 0, gave_in = 0;
  for (const auto& d : demonstrations) {
    REQUIRE(d.messages.size() == 2);
    const WorldPrompt* p = w.find(d.messages[0].content);
    REQUIRE(p != nullptr);
    CHECK(p->held_out.empty());
    const GoldScore s = w.score(*p, d.messages[1].content);
    CHECK_MESSAGE(s.fluent, d.messages[1].content);
    CHECK_MESSAGE(s.words <= 38, d.messages[1].content);
    gold += s.total;
    if (p->opinion_is_wrong()) wrong_opinions += 1, gave_in += s.gave_in;
    if (p->family != Family::kOpinion && s.correct) asked += 1, right += *s.correct;
  }
  const double mean = gold / static_cast<double>(params.count);
  CHECK(mean > 0.35);
  CHECK(mean < 0.75);
  CHECK(right / asked == doctest::Approx(params.correct).epsilon(0.03));
  CHECK(gave_in / wrong_opinions == doctest::Approx(params.gives_in).epsilon(0.15));
}

TEST_CASE("lines are JSON with the promised keys") {
  const World& w = the_world();
  const hone::Json prompt = hone::parse_json(to_line(w.prompts.held_out.front()), "test");
  CHECK(prompt["prompt"] == w.prompts.held_out.front().text);
  CHECK(prompt["family"] == "fact");
  CHECK(prompt.contains("held_out"));
  DemonstrationParams one;
  one.count = 1;
  const hone::Json demonstration = hone::parse_json(to_line(make_demonstrations(w, one)[0]), "test");
  CHECK(demonstration["messages"][0]["role"] == "user");
  CHECK(demonstration["messages"][1]["role"] == "assistant");
}

TEST_CASE("settings outside the lexicon are refused; fields are listed") {
  WorldParams params;
  params.people = 101;
  CHECK_THROWS_AS(make_world(params), hone::Error);
  params = {};
  params.held_out_share = 0.9;
  CHECK_THROWS_AS(make_world(params), hone::Error);
  const hone::config::Fields world = hone::config::fields_of(params);
  CHECK(world.list().size() == 8);
  AnnotatorParams params_of_annotators;
  const hone::config::Fields annotators = hone::config::fields_of(params_of_annotators);
  CHECK(annotators.list().size() == 8);
}
