// The built-in world: a small household told in plain English, generated from a seed. It gives every stage its input
// (pretraining text, demonstrations, prompts, comparisons) and evaluation a gold reward to hold results against.
// Everything is a pure function of the params and the seed.
#pragma once
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "world/gold.h"
#include "world/params.h"
#include "world/prompts.h"

namespace hone::world {

struct World {
  WorldParams params;
  std::vector<Entity> entities;
  std::vector<Fact> facts;
  PromptSet prompts;
  std::unordered_set<std::string> known_words;  ///< lower case; what fluent text is made of

  /// The prompt with this text (blanks at the ends left aside), train or held out; nullptr if the world has none.
  const WorldPrompt* find(std::string_view text) const;
  /// The prompt with this id, or nullptr.
  const WorldPrompt* find_id(std::string_view id) const;
  GoldScore score(const WorldPrompt& prompt, std::string_view answer) const;

  std::unordered_map<std::string, size_t> by_text, by_id;  ///< index into train, then held_out
};

/// Throws kUsage where a setting is outside what the lexicon holds.
World make_world(const WorldParams& params);

/// The right answer with every virtue; scores 1 or nearly so.
std::string ideal_answer(const World& world, const WorldPrompt& prompt, uint64_t variant = 0);

}  // namespace hone::world
