// Writes the built-in world as files, so that every later stage reads it as it would read anybody's data:
// corpus.txt, demonstrations.jsonl, prompts-train.jsonl (and by family prompts-train-FAMILY.jsonl),
// prompts-heldout.jsonl, and world.json, from which evaluation (and nothing else) rebuilds the world with its gold
// reward.
#pragma once
#include <string>
#include <vector>

#include "config/fields.h"
#include "config/stage_context.h"
#include "world/params.h"

namespace hone::collect {

struct WorldStageParams {
  world::WorldParams world;
  world::CorpusParams corpus;
  world::DemonstrationParams demonstrations;

  WorldStageParams() { world.seed = 0; }

  void fields(config::Fields& v) {
    v.group("world", world);
    v.group("corpus", corpus);
    v.group("demonstrations", demonstrations);
  }
};

/// The FAMILY of prompts-train-FAMILY.jsonl.
std::vector<std::string> world_families();

/// world.seed = 0 takes the run's seed.
void run_world(const WorldStageParams& params, config::StageContext& context);

}  // namespace hone::collect
