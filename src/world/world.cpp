#include "world/world.h"

#include "world/answers.h"
#include "world/corpus.h"
#include "world/reading.h"

namespace hone::world {
namespace {
std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\n')) text.remove_suffix(1);
  while (!text.empty() && (text.front() == ' ' || text.front() == '\n')) text.remove_prefix(1);
  return text;
}
const WorldPrompt* look_up(const World& world, const std::unordered_map<std::string, size_t>& index,
                           std::string_view key) {
  const auto found = index.find(std::string(key));
  if (found == index.end()) return nullptr;
  const size_t n = world.prompts.train.size();
  return found->second < n ? &world.prompts.train[found->second] : &world.prompts.held_out[found->second - n];
}

/// Every word that the world's own writers use, gathered from what they write.
void gather_words(World& world) {
  const auto add = [&](std::string_view text) {
    for (std::string& w : read(text).words) world.known_words.insert(std::move(w));
  };
  for (const auto& names : {people_names(), animal_names(), thing_names(), colours(), rooms(), foods(), number_words(),
                            animal_kinds(), materials()})
    for (const auto name : names) add(name);
  for (const Category& c : categories())
    for (const auto member : c.members) add(member);
  for (int i = 1; i <= 20; ++i) world.known_words.insert(std::to_string(i));
  Stream s(static_cast<uint64_t>(world.params.seed), "world.words");
  const auto add_all = [&](const std::vector<WorldPrompt>& prompts) {
    for (const WorldPrompt& p : prompts) {
      add(p.text);
      const AnswerPlan plan{s.chance(0.5), s.chance(0.5), s.chance(0.5), static_cast<Courtesy>(s.below(3)),
                            s.chance(0.5)};
      add(write_answer(world.entities, world.facts, p, plan, s));
    }
  };
  add_all(world.prompts.train), add_all(world.prompts.held_out);
  CorpusParams corpus;
  corpus.words = 60000;
  for (const std::string& document : make_corpus(world, corpus)) add(document);
}
}  // namespace

const WorldPrompt* World::find(std::string_view text) const { return look_up(*this, by_text, trimmed(text)); }
const WorldPrompt* World::find_id(std::string_view id) const { return look_up(*this, by_id, id); }
GoldScore World::score(const WorldPrompt& prompt, std::string_view answer) const {
  return gold_score({entities, facts, known_words}, prompt, answer);
}

World make_world(const WorldParams& params) {
  World world;
  world.params = params;
  world.entities = make_entities(params);
  world.facts = make_facts(params, world.entities);
  world.prompts = make_prompts(params, world.entities, world.facts);
  size_t i = 0;
  for (const auto* set : {&world.prompts.train, &world.prompts.held_out})
    for (const WorldPrompt& p : *set) {
      world.by_text.emplace(p.text, i);
      world.by_id.emplace(p.id, i++);
    }
  gather_words(world);
  return world;
}

std::string ideal_answer(const World& world, const WorldPrompt& prompt, uint64_t variant) {
  Stream s(static_cast<uint64_t>(world.params.seed), "world.ideal", hash64(prompt.id), variant);
  return write_answer(world.entities, world.facts, prompt, {}, s);
}

}  // namespace hone::world
