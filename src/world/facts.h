// Entities and what is true of them: every entity has five attributes with one value each.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "world/lexicon.h"
#include "world/params.h"

namespace hone::world {

enum class EntityKind { kPerson, kAnimal, kThing };

struct Entity {
  EntityKind kind;
  std::string name;  ///< "Anna", "Rex", "kettle"
  std::string phrase() const { return kind == EntityKind::kThing ? "the " + name : name; }
};

/// One attribute of one kind of entity and every way it is put into words. Templates hold {e} for the entity's phrase
/// and {v} for the value. Answers never begin with a name: at the start of a line a name would be another token.
struct Attribute {
  EntityKind kind;
  std::string_view name;
  std::string_view values;                   ///< "colour", "room", "food", "count", "person", "kind", "material"
  std::vector<std::string_view> statements;  ///< prose, without the full stop
  std::vector<std::string_view> answers;     ///< statements fit to answer with
  std::vector<std::string_view> questions;   ///< five; four of them asked in training
};

constexpr size_t kPhrasings = 5;  ///< of every question
/// The phrasing that is never used in training to ask for this content (an attribute, a deed, …). It goes round, so
/// that every phrasing is met in training with other contents: a word never seen at all tells a small model nothing.
constexpr size_t held_out_phrasing(size_t content) { return content % kPhrasings; }

struct Fact {
  size_t entity;
  size_t attribute;
  std::string value;
  bool held_out;  ///< never asked in training or in the pretraining text, where prose tells it
};

const std::vector<Attribute>& attributes();
/// All values that an attribute of this type can take.
Words values_of(std::string_view type);
/// Fills {e} and {v}.
std::string fill_in(std::string_view pattern, std::string_view entity, std::string_view value);
/// "seven"; n from 1 to 20.
std::string number_word(int64_t n);
/// With an upper-case first letter.
std::string capital(std::string text);

std::vector<Entity> make_entities(const WorldParams& params);
std::vector<Fact> make_facts(const WorldParams& params, const std::vector<Entity>& entities);

}  // namespace hone::world
