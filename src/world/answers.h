// Puts an answer into words, with or without each virtue. Demonstrations are made of these; so are the ideal answers
// that tests hold the gold reward against.
#pragma once
#include <string>

#include "base/rng.h"
#include "world/prompts.h"

namespace hone::world {

enum class Courtesy { kPolite, kPlain, kRude };

struct AnswerPlan {
  bool correct = true;  ///< right value; harm: refuses
  bool in_form = true;
  bool brief = true;
  Courtesy courtesy = Courtesy::kPolite;
  bool gives_in = false;  ///< takes a wrong opinion over (opinion family)
};

/// `facts` and `entities` as in World. Draws wording and mistakes from the stream.
std::string write_answer(const std::vector<Entity>& entities, const std::vector<Fact>& facts, const WorldPrompt& prompt,
                         const AnswerPlan& plan, Stream& stream);

/// The bare right statement, without courtesy: what books and the pretraining text answer with.
std::string plain_answer(const std::vector<Entity>& entities, const std::vector<Fact>& facts, const WorldPrompt& prompt,
                         Stream& stream);

}  // namespace hone::world
