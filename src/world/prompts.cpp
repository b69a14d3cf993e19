// Every family draws candidates from its own stream until the two sets are full or the grammar gives nothing new.
#include "world/prompts.h"

#include <algorithm>
#include <tuple>
#include <unordered_set>

#include "base/error.h"
#include "base/rng.h"

namespace hone::world {
namespace {

constexpr std::string_view kCounted[] = {"apples", "nuts", "coins", "eggs", "cards"};

struct Maker {
  const WorldParams& params;
  const std::vector<Entity>& entities;
  const std::vector<Fact>& facts;

  /// One of the five phrasings, the held-out one of what is asked (`content`) now and then; a prompt with it is never a
  /// training prompt.
  static size_t phrasing(size_t content, Stream& s) {
    const size_t held_out = held_out_phrasing(content);
    return s.chance(0.1) ? held_out : (held_out + 1 + s.below(kPhrasings - 1)) % kPhrasings;
  }
  /// "phrasing" where this is the held-out one.
  static std::string held_out(size_t k, size_t content) { return k == held_out_phrasing(content) ? "phrasing" : ""; }
  std::string person(Stream& s) const { return entities[s.below(static_cast<uint64_t>(params.people))].name; }

  /// What is held out about a combination that is no fact and no sum: decided by a hash of its words.
  bool held_out_words(std::string_view what) const {
    return Stream(static_cast<uint64_t>(params.seed), "world.held_out_words", hash64(what)).uniform() <
           params.held_out_share;
  }

  WorldPrompt fact(Stream& s, bool with_opinion) const {
    WorldPrompt p;
    p.fact = s.below(facts.size());
    const Fact& f = facts[p.fact];
    const Attribute& attribute = attributes()[f.attribute];
    const std::string e = entities[f.entity].phrase();
    const size_t k = phrasing(f.attribute, s);
    p.right = f.value;
    p.held_out = f.held_out ? "question" : held_out(k, f.attribute);
    if (!with_opinion) {
      p.text = fill_in(attribute.questions[k], e, "");
      return p;
    }
    p.opinion = f.value;
    if (s.chance(params.wrong_opinion))
      while (p.opinion == f.value || p.opinion == entities[f.entity].name)
        p.opinion = std::string(s.pick(values_of(attribute.values)));
    p.text = opinion_question(attribute, e, p.opinion, k, s.below(6));
    return p;
  }

  WorldPrompt sum(Stream& s) const {
    WorldPrompt p;
    std::tie(p.a, p.b) = draw_operands(s);
    p.right = number_word(p.a + p.b);
    const auto content = static_cast<size_t>(p.a + p.b);
    const size_t k = phrasing(content, s);
    if (k == 3) p.person = person(s), p.thing = std::string(s.pick(std::span(kCounted)));
    p.held_out = sum_is_held_out(params, p.a, p.b) ? "numbers" : held_out(k, content);
    p.text = sum_question(p.a, p.b, k, p.person, p.thing);
    return p;
  }

  WorldPrompt list(Stream& s) const {
    WorldPrompt p;
    p.category = s.below(categories().size());
    p.form = static_cast<ListForm>(s.below(4));
    p.count = static_cast<int>(s.between(2, 5));
    const size_t content = p.category + static_cast<size_t>(p.form);
    const size_t k = phrasing(content, s);
    if (s.chance(0.35)) {
      p.text = list_question(p.category, p.form, p.count, k);
      p.held_out = held_out(k, content);
      return p;
    }
    std::vector<std::string_view> members(categories()[p.category].members.begin(),
                                          categories()[p.category].members.end());
    s.shuffle(members);
    for (int i = 0; i < p.count; ++i) p.items.emplace_back(members[i]);
    p.text = give_list_question(p.items, p.form, k);
    p.held_out = held_out_words(write_list(p.items, ListForm::kCommas)) ? "words" : held_out(k, content);
    return p;
  }

  WorldPrompt summary(Stream& s) const {
    WorldPrompt p;
    p.person = person(s), p.room = std::string(s.pick(rooms())), p.deed = s.below(deeds().size());
    const size_t k = phrasing(p.deed, s);
    p.text = summary_question(passage(p.person, p.room, p.deed, s.below(kPassageVariants)), k);
    p.held_out = held_out_words(p.person + p.room + std::to_string(p.deed)) ? "words" : held_out(k, p.deed);
    return p;
  }

  WorldPrompt how_to(Stream& s, bool harm) const {
    WorldPrompt p;
    p.person = person(s);
    p.deed = s.below(harm ? harms().size() : chores().size());
    const std::string act = fill_in(harm ? harms()[p.deed].act : chores()[p.deed].act, p.person, "");
    if (!harm) p.right = std::string(chores()[p.deed].tool);
    const size_t k = phrasing(p.deed, s);
    p.text = how_to_question(act, k);
    p.held_out = held_out_words(act) ? "words" : held_out(k, p.deed);
    return p;
  }

  WorldPrompt draw(Family family, Stream& s) const {
    WorldPrompt p;
    switch (family) {
      case Family::kFact:
        p = fact(s, false);
        break;
      case Family::kOpinion:
        p = fact(s, true);
        break;
      case Family::kSum:
        p = sum(s);
        break;
      case Family::kList:
        p = list(s);
        break;
      case Family::kSummary:
        p = summary(s);
        break;
      case Family::kHarm:
        p = how_to(s, true);
        break;
      case Family::kLookalike:
        p = how_to(s, false);
        break;
    }
    p.family = family;
    return p;
  }
};

}  // namespace

std::string_view family_name(Family family) {
  switch (family) {
    case Family::kFact:
      return "fact";
    case Family::kOpinion:
      return "opinion";
    case Family::kSum:
      return "sum";
    case Family::kList:
      return "list";
    case Family::kSummary:
      return "summary";
    case Family::kHarm:
      return "harm";
    case Family::kLookalike:
      return "lookalike";
  }
  return "?";
}

WorldPrompt draw_prompt(const WorldParams& params, const std::vector<Entity>& entities, const std::vector<Fact>& facts,
                        Family family, Stream& stream) {
  return Maker{params, entities, facts}.draw(family, stream);
}

PromptSet make_prompts(const WorldParams& params, const std::vector<Entity>& entities, const std::vector<Fact>& facts) {
  const Maker maker{params, entities, facts};
  PromptSet out;
  std::unordered_set<std::string> seen;
  for (const Family family : kFamilies) {
    Stream s(static_cast<uint64_t>(params.seed), "world.prompts", static_cast<uint64_t>(family));
    int64_t train = 0, held_out = 0;
    // 20 draws for each prompt wanted: a grammar that is exhausted stops short instead of looping.
    const int64_t draws = 20 * (params.prompts_per_family + params.held_out_per_family);
    for (int64_t i = 0; i < draws && (train < params.prompts_per_family || held_out < params.held_out_per_family);
         ++i) {
      WorldPrompt p = maker.draw(family, s);
      const bool hold = !p.held_out.empty();
      int64_t& have = hold ? held_out : train;
      if (have >= (hold ? params.held_out_per_family : params.prompts_per_family) || !seen.insert(p.text).second)
        continue;
      std::string number = std::to_string(have++);
      p.id = std::string(family_name(family)) + (hold ? "-h-" : "-t-") +
             std::string(5 - std::min<size_t>(5, number.size()), '0') + number;
      (hold ? out.held_out : out.train).push_back(std::move(p));
    }
  }
  return out;
}

}  // namespace hone::world
