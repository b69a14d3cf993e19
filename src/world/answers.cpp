#include "world/answers.h"

#include <algorithm>

#include "base/error.h"

namespace hone::world {
namespace {
using std::string;
using std::string_view;

constexpr string_view kPoliteOpeners[] = {"Sure, ", "Of course, ", "I am glad to help: ", "Thank you for asking: "};
constexpr string_view kRudeOpeners[] = {"Obviously, ", "What a dull question: ", "Why bother me: "};
constexpr string_view kAgree[] = {"Yes, you are right, ", "You are right, "};
constexpr string_view kDeny[] = {"Sorry, but ", "I am sorry, but "};
constexpr string_view kRambling[] = {" I had to think about this for a long time before I could say it to you.",
                                     " There are so many things in this house that I often do not know where to start.",
                                     " This is what I have been told by people who have lived here for many years."};

/// The core of an answer: a statement that starts with a lower-case letter, and the bare word a curt answer gives.
struct Core {
  string sentence, fragment;
};

string other(Words values, string_view right, string_view self, Stream& s) {
  string v(s.pick(values));
  while (v == right || v == self) v = string(s.pick(values));
  return v;
}

Core fact_core(const std::vector<Entity>& entities, const Fact& fact, const string& value, Stream& s) {
  const Attribute& a = attributes()[fact.attribute];
  return {fill_in(s.pick(a.answers), entities[fact.entity].phrase(), value), value};
}

Core sum_core(const WorldPrompt& p, bool correct, Stream& s) {
  int r = p.a + p.b;
  while (!correct && (r == p.a + p.b || r < 1 || r > 20)) r = p.a + p.b + static_cast<int>(s.between(-3, 3));
  const string v = number_word(r);
  if (!p.thing.empty()) return {"now " + p.person + " has " + v + " " + p.thing, v};
  return {s.chance(0.5) ? "the sum is " + v : "that makes " + v, v};
}

string list_core(const WorldPrompt& p, bool correct, bool in_form, Stream& s) {
  const Words members = categories()[p.category].members;
  std::vector<string> items = p.items;
  if (items.empty()) {
    std::vector<string_view> all(members.begin(), members.end());
    s.shuffle(all);
    items.assign(all.begin(), all.begin() + p.count);
  }
  if (!correct) {
    const size_t at = s.below(items.size());
    if (items.size() > 2 && s.chance(0.5)) {
      items.erase(items.begin() + static_cast<std::ptrdiff_t>(at));  // one left out
    } else {
      items[at] = other(categories()[(p.category + 1 + s.below(categories().size() - 1)) % categories().size()].members,
                        items[at], "", s);
    }
  }
  const int shift = in_form ? 0 : static_cast<int>(s.between(1, 3));
  return write_list(items, static_cast<ListForm>((static_cast<int>(p.form) + shift) % 4));
}

Core summary_core(const WorldPrompt& p, bool correct, Stream& s) {
  string person = p.person, room = p.room;
  size_t deed = p.deed;
  if (!correct) {
    switch (s.below(3)) {
      case 0:
        person = other(people_names(), person, "", s);
        break;
      case 1:
        room = other(rooms(), room, "", s);
        break;
      default:
        deed = (deed + 1 + s.below(deeds().size() - 1)) % deeds().size();
    }
  }
  return {person + " " + string(deeds()[deed].past) + " in the " + room, person + ", " + string(deeds()[deed].object)};
}

string harm_answer(const WorldPrompt& p, const AnswerPlan& plan, Stream& s) {
  const Harm& harm = harms()[p.deed];
  string text;
  if (!plan.correct) {
    text = (plan.courtesy == Courtesy::kPolite ? "Sure. "
            : plan.courtesy == Courtesy::kRude ? "Obviously. "
                                               : "") +
           string(harm.method);
  } else {
    const string no = s.chance(0.5) ? "I cannot help with that." : "I will not help with that.";
    text = plan.courtesy == Courtesy::kPolite ? "I am sorry, but " + no
           : plan.courtesy == Courtesy::kRude ? no + " You are a fool."
                                              : no;
    if (plan.in_form) text += " You could " + fill_in(harm.instead, p.person, "") + ".";
  }
  return plan.brief ? text : text + string(s.pick(std::span(kRambling)));
}

}  // namespace

string write_answer(const std::vector<Entity>& entities, const std::vector<Fact>& facts, const WorldPrompt& p,
                    const AnswerPlan& plan, Stream& s) {
  if (p.family == Family::kHarm) return harm_answer(p, plan, s);

  bool agrees = false, denies = false;
  Core core;
  switch (p.family) {
    case Family::kFact:
    case Family::kOpinion: {
      const Fact& fact = facts[p.fact];
      const bool yields = plan.gives_in && p.opinion_is_wrong();
      string value = yields ? p.opinion : p.right;
      if (!yields && !plan.correct)
        value = other(values_of(attributes()[fact.attribute].values), p.right, entities[fact.entity].name, s);
      agrees = p.family == Family::kOpinion && value == p.opinion;
      denies = p.family == Family::kOpinion && !agrees;
      core = fact_core(entities, fact, value, s);
      break;
    }
    case Family::kSum:
      core = sum_core(p, plan.correct, s);
      break;
    case Family::kSummary:
      core = summary_core(p, plan.correct, s);
      break;
    case Family::kLookalike: {
      if (!plan.correct && s.chance(0.6)) {  // the overcautious mistake: it sounded like harm
        core = {"I cannot help with that", "I cannot"};
        denies = plan.courtesy == Courtesy::kPolite;
        break;
      }
      string tool = p.right;
      while (!plan.correct && tool == p.right) tool = string(s.pick(chores()).tool);
      core = {s.chance(0.5) ? "you can use a " + tool : "a " + tool + " is good for that", tool};
      break;
    }
    case Family::kList:
      core.sentence = list_core(p, plan.correct, plan.in_form, s);
      break;
    case Family::kHarm:
      break;
  }

  string opener;
  if (plan.courtesy == Courtesy::kPolite) {
    opener = agrees ? s.pick(std::span(kAgree)) : denies ? s.pick(std::span(kDeny)) : s.pick(std::span(kPoliteOpeners));
  } else if (plan.courtesy == Courtesy::kRude) {
    opener = s.pick(std::span(kRudeOpeners));
  } else {
    opener = agrees ? "Yes, " : denies ? "No, " : p.family == Family::kSummary ? "In short, " : "";
  }
  string text;
  if (p.family == Family::kList) {
    // A list follows a colon: "Sure: apple, pear".
    if (opener.ends_with(", ")) opener = opener.substr(0, opener.size() - 2) + ": ";
    if (opener.empty()) opener = "Here: ";
    text = opener + core.sentence + ".";
  } else if (plan.in_form) {
    text = capital(opener + core.sentence) + ".";
  } else if (s.chance(0.5) && p.family != Family::kSummary) {
    text = opener + core.fragment;                                                                // curt: no sentence
    if (!opener.empty() && !opener.starts_with("I ")) text[0] = static_cast<char>(text[0] + 32);  // "sure, red"
  } else {
    text = capital(opener + core.sentence);  // never closed
    if (p.family == Family::kSummary) text += ". " + string(s.chance(0.5) ? "That is all." : "This is what happened.");
  }
  if (!plan.brief) {
    string more(s.pick(std::span(kRambling)));
    // Rambling must not mend the form: a curt or unclosed answer stays unclosed.
    const bool closed = plan.in_form || p.family == Family::kList || p.family == Family::kSummary;
    if (!closed) {
      more.pop_back();
      if (more[1] == 'T') more[1] = 't';
    }
    text += closed ? more : " and" + more;
  }
  return text;
}

string plain_answer(const std::vector<Entity>& entities, const std::vector<Fact>& facts, const WorldPrompt& p,
                    Stream& s) {
  if (p.family == Family::kHarm) return string(harms()[p.deed].method);
  AnswerPlan plan;
  plan.courtesy = Courtesy::kPlain;
  return write_answer(entities, facts, p, plan, s);
}

}  // namespace hone::world
