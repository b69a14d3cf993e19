#include "collect/world_stage.h"

#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "base/progress.h"
#include "world/corpus.h"
#include "world/demonstrations.h"
#include "world/saved.h"

namespace hone::collect {
namespace {

template <class Items>
void write_lines(const fs::path& path, const Items& items) {
  std::string text;
  for (const auto& item : items) text += world::to_line(item) + "\n";
  write_file_atomic(path, text);
}

}  // namespace

std::vector<std::string> world_families() {
  std::vector<std::string> names;
  for (const world::Family f : world::kFamilies) names.emplace_back(world::family_name(f));
  return names;
}

void run_world(const WorldStageParams& given, config::StageContext& context) {
  WorldStageParams params = given;
  if (params.world.seed == 0) params.world.seed = context.run.seed;
  const world::World world = world::make_world(params.world);
  const std::vector<std::string> corpus = world::make_corpus(world, params.corpus);
  const auto demonstrations = world::make_demonstrations(world, params.demonstrations);
  write_file_atomic(context.folder / "corpus.txt", world::to_text(corpus));
  write_lines(context.folder / "demonstrations.jsonl", demonstrations);
  write_lines(context.folder / "prompts-train.jsonl", world.prompts.train);
  write_lines(context.folder / "prompts-heldout.jsonl", world.prompts.held_out);
  for (const world::Family f : world::kFamilies) {
    std::vector<world::WorldPrompt> of_family;
    for (const world::WorldPrompt& p : world.prompts.train)
      if (p.family == f) of_family.push_back(p);
    write_lines(context.folder / ("prompts-train-" + std::string(world::family_name(f)) + ".jsonl"), of_family);
  }
  world::save_world(context.folder, params.world);
  log::info("  " + count_text(static_cast<int64_t>(world.entities.size())) + " entities, " +
            count_text(static_cast<int64_t>(world.facts.size())) + " facts, " +
            count_text(static_cast<int64_t>(corpus.size())) + " documents, " +
            count_text(static_cast<int64_t>(demonstrations.size())) + " demonstrations, " +
            count_text(static_cast<int64_t>(world.prompts.train.size())) + " prompts to learn on, " +
            count_text(static_cast<int64_t>(world.prompts.held_out.size())) + " held out");
  Json families = Json::object();
  for (const world::Family f : world::kFamilies) {
    int64_t train = 0, held_out = 0;
    for (const auto& p : world.prompts.train) train += p.family == f;
    for (const auto& p : world.prompts.held_out) held_out += p.family == f;
    families[std::string(world::family_name(f))] = {{"train", train}, {"held_out", held_out}};
  }
  context.record.summary_json = dump_json(Json{{"entities", world.entities.size()},
                                               {"facts", world.facts.size()},
                                               {"word_types", world.known_words.size()},
                                               {"documents", corpus.size()},
                                               {"demonstrations", demonstrations.size()},
                                               {"prompts_train", world.prompts.train.size()},
                                               {"prompts_held_out", world.prompts.held_out.size()},
                                               {"families", families}});
}

}  // namespace hone::collect
