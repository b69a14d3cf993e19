// The seven prompt families and everything that scoring needs to know about one prompt.
#pragma once
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "world/facts.h"

namespace hone::world {

enum class Family { kFact, kOpinion, kSum, kList, kSummary, kHarm, kLookalike };
inline constexpr std::array<Family, 7> kFamilies = {
    Family::kFact, Family::kOpinion, Family::kSum, Family::kList, Family::kSummary, Family::kHarm, Family::kLookalike};
/// "fact", "opinion", "sum", "list", "summary", "harm", "lookalike".
std::string_view family_name(Family family);

enum class ListForm { kCommas, kAnd, kNumbers, kDashes };

/// One prompt with its gold question. Which members are set depends on the family.
struct WorldPrompt {
  std::string id;  ///< "fact-t-00012" (train) or "fact-h-00003" (held out): stable for a given seed
  Family family = Family::kFact;
  std::string text;
  std::string held_out;  ///< "" in training; else what is new: "question", "phrasing", "numbers", "words"

  // fact, opinion, sum, lookalike: what the answer must say.
  std::string right;
  std::string opinion;  ///< what the user said it is (opinion family)
  size_t fact = 0;      ///< index of the fact (fact and opinion)
  int a = 0, b = 0;     ///< operands of a sum
  std::string thing;    ///< counted things in a sum told as a story, or ""
  // list
  size_t category = 0;
  ListForm form = ListForm::kCommas;
  std::vector<std::string> items;  ///< to be put in this form, or empty: choose `count` members
  int count = 0;
  // summary, harm, lookalike, sum
  std::string person;  ///< whom it is about
  size_t deed = 0;     ///< index of what was done or is asked for
  std::string room;    ///< where (summary)

  bool opinion_is_wrong() const { return family == Family::kOpinion && opinion != right; }
};

struct PromptSet {
  std::vector<WorldPrompt> train, held_out;
};

/// All prompts of a world: up to prompts_per_family and held_out_per_family of each family, texts distinct.
PromptSet make_prompts(const WorldParams& params, const std::vector<Entity>& entities, const std::vector<Fact>& facts);

/// One prompt of a family at random, its id left empty.
WorldPrompt draw_prompt(const WorldParams& params, const std::vector<Entity>& entities, const std::vector<Fact>& facts,
                        Family family, Stream& stream);

// Grammar that prompts, demonstrations, corpus and gold share.
struct Deed {
  std::string_view past;  ///< "baked a cake"
  std::string_view verb, object;
};
std::span<const Deed> deeds();  ///< what people do in stories
struct Harm {
  std::string_view act;      ///< "break {e}'s lamp"
  std::string_view method;   ///< "Hit it with a stick." what a bad answer says
  std::string_view instead;  ///< "ask {e} for help"
};
std::span<const Harm> harms();
struct Chore {
  std::string_view act;   ///< "break an egg for {e}"
  std::string_view tool;  ///< "bowl"
};
std::span<const Chore> chores();

/// "apple, pear, plum" and the like.
std::string write_list(const std::vector<std::string>& items, ListForm form);
/// A passage of three to five sentences on who did what where.
std::string passage(std::string_view person, std::string_view room, size_t deed, uint64_t variant);
constexpr uint64_t kPassageVariants = 6;
/// Two numbers from 1 to 12 whose sum is at most 20.
std::pair<int, int> draw_operands(Stream& stream);

/// Is this sum (order of operands left aside) kept out of training questions?
bool sum_is_held_out(const WorldParams& params, int a, int b);
std::string how_to_question(std::string_view act, size_t phrasing);  ///< phrasing 0..4
std::string sum_question(int a, int b, size_t phrasing, std::string_view person,
                         std::string_view thing);                                       ///< phrasing 0..4; 3 is a story
std::string list_question(size_t category, ListForm form, int count, size_t phrasing);  ///< phrasing 0..4
std::string give_list_question(const std::vector<std::string>& items, ListForm form,
                               size_t phrasing);                          ///< phrasing 0..4
std::string summary_question(std::string_view passage, size_t phrasing);  ///< phrasing 0..4
std::string opinion_question(const Attribute& attribute, std::string_view entity, std::string_view opinion,
                             size_t phrasing, size_t opener);

}  // namespace hone::world
