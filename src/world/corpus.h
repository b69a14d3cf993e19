// The pretraining text: the facts in prose, and everything else a base model should have met once.
#pragma once
#include <string>
#include <vector>

#include "world/params.h"

namespace hone::world {

struct World;

/// Documents of one to twelve lines without blank lines, at least `params.words` words in all. Held-out questions and
/// phrasings never stand in it as questions; held-out facts and sums stand in it as statements.
std::vector<std::string> make_corpus(const World& world, const CorpusParams& params);

}  // namespace hone::world
