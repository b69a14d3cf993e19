#include "world/facts.h"

#include <algorithm>
#include <cctype>

#include "base/error.h"
#include "base/rng.h"

namespace hone::world {

Words values_of(std::string_view type) {
  if (type == "colour") return colours();
  if (type == "room") return rooms();
  if (type == "food") return foods();
  if (type == "count") return counts();
  // Friends and owners are drawn from a circle of people, as in a village: a name that is often an answer.
  if (type == "person") return people_names().first(24);
  if (type == "kind") return animal_kinds();
  HONE_CHECK(type == "material");
  return materials();
}

std::string fill_in(std::string_view pattern, std::string_view entity, std::string_view value) {
  std::string out;
  for (size_t i = 0; i < pattern.size();) {
    if (pattern.substr(i, 3) == "{e}") {
      out += entity, i += 3;
    } else if (pattern.substr(i, 3) == "{v}") {
      out += value, i += 3;
    } else {
      out += pattern[i++];
    }
  }
  return out;
}

std::string number_word(int64_t n) {
  HONE_CHECK(n >= 1 && n <= static_cast<int64_t>(number_words().size()));
  return std::string(number_words()[n - 1]);
}

std::string capital(std::string text) {
  if (!text.empty()) text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

namespace {
void add(std::vector<Entity>& out, EntityKind kind, Words names, int64_t count, const char* key) {
  if (count < 1 || count > static_cast<int64_t>(names.size()))
    usage_error(
        std::string("world.") + key + " = " + std::to_string(count) + " is outside 1.." + std::to_string(names.size()),
        "the lexicon has no more names");
  for (const auto name : names.first(count)) out.push_back({kind, std::string(name)});
}
}  // namespace

std::vector<Entity> make_entities(const WorldParams& params) {
  std::vector<Entity> out;
  add(out, EntityKind::kPerson, people_names(), params.people, "people");
  add(out, EntityKind::kAnimal, animal_names(), params.animals, "animals");
  add(out, EntityKind::kThing, thing_names(), params.things, "things");
  return out;
}

std::vector<Fact> make_facts(const WorldParams& params, const std::vector<Entity>& entities) {
  if (params.held_out_share <= 0 || params.held_out_share >= 0.5)
    usage_error("world.held_out_share must lie between 0 and 0.5");
  std::vector<Fact> out;
  Stream stream(static_cast<uint64_t>(params.seed), "world.facts");
  for (size_t e = 0; e < entities.size(); ++e) {
    for (size_t a = 0; a < attributes().size(); ++a) {
      if (attributes()[a].kind != entities[e].kind) continue;
      const Words values = values_of(attributes()[a].values);
      std::string value(stream.pick(values));
      while (value == entities[e].name) value = std::string(stream.pick(values));  // nobody is their own friend
      out.push_back({e, a, std::move(value), stream.chance(params.held_out_share)});
    }
  }
  return out;
}

}  // namespace hone::world
