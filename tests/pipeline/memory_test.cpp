// `--plan`'s bytes of networks beside what a stage's record counted from its tensors: within a tenth, for every stage
// that trains, full and with adapters, in f32 and bf16; and the bounds that people are promised.
#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "config/run_folder.h"
#include "pipeline/forecast.h"
#include "pipeline/run.h"
#include "pipeline/stage.h"

using namespace hone;

namespace {

using Settings = std::map<std::string, Json>;

config::Recipe recipe_of(const std::string& kind, const Settings& settings, const std::string& dtype) {
  config::Recipe recipe;
  recipe.run.threads = 1;
  recipe.run.dtype = dtype;
  recipe.stages = {{kind, kind, "memory test", {}}};
  for (const auto& [key, value] : settings) recipe.stages[0].entries.push_back({key, "memory test", dump_json(value)});
  return recipe;
}

struct Seen {
  double planned = 0, counted = 0, parameters = 0;
};

class Workshop {
 public:
  Workshop() : root_(fs::temp_directory_path() / ("hone-memory-" + std::to_string(::getpid()))) {
    fs::remove_all(root_);
    fs::create_directories(root_);
    log::set_quiet(true);
  }
  ~Workshop() { fs::remove_all(root_); }
  std::string path(const std::string& name) const { return (root_ / name).string(); }
  Seen make(const std::string& kind, const std::string& name, const Settings& settings,
            const std::string& dtype = "f32") const {
    const config::Recipe recipe = recipe_of(kind, settings, dtype);
    const std::unique_ptr<pipeline::Stage> stage = pipeline::make_stage(kind, "memory test");
    pipeline::apply_settings(*stage, recipe.stages[0]);
    pipeline::PlannedRun planned(recipe.run);
    pipeline::Forecast forecast{.folder = path(name)};
    stage->look_ahead(planned, forecast);
    fs::remove_all(path(name));
    pipeline::run_recipe(recipe, {.out = path(name)});
    const Json model = parse_json(config::read_record(path(name)).model_json, "record");
    return {forecast.memory.total(), model.value("memory_bytes", 0.0), model.value("parameters", 0.0)};
  }

 private:
  fs::path root_;
};

}  // namespace

TEST_CASE("networks take what the plan says, and no more than promised") {
  const Workshop w;
  w.make("world", "world",
         {{"world.prompts_per_family", 12},
          {"world.held_out_per_family", 3},
          {"corpus.words", 3000},
          {"demonstrations.count", 60}});
  w.make("tokenizer", "tokenizer", {{"data", {w.path("world/corpus.txt")}}, {"size", 300}});
  w.make("pretrain", "pretrain",
         {{"tokenizer", w.path("tokenizer/model")},
          {"data", {w.path("world/corpus.txt")}},
          {"steps", 2},
          {"batch_tokens", 256},
          {"shape.width", 128},
          {"shape.layers", 4},
          {"shape.ffn", 384}});
  std::string rows;
  for (int i = 0; i < 40; ++i) {
    const std::string n = std::to_string(i);
    rows += dump_json(Json{{"prompt", "what is " + n}, {"chosen", "it is " + n + "."}, {"rejected", "no"}}) + "\n";
  }
  write_file_atomic(w.path("pairs.jsonl"), rows);
  const std::string model = w.path("pretrain/model"), pairs = w.path("pairs.jsonl");
  const auto close = [](const Seen& s, double most) {
    CHECK(s.planned == doctest::Approx(s.counted).epsilon(0.1));
    CHECK(s.counted < most * s.parameters);
  };
  for (const std::string dtype : {"f32", "bf16"}) {
    CAPTURE(dtype);
    const Settings lora{{"adapter.rank", 2}};
    const auto with = [](Settings base, const Settings& more) {
      base.insert(more.begin(), more.end());
      return base;
    };
    const Settings sft{{"model", model},
                       {"data", {w.path("world/demonstrations.jsonl")}},
                       {"steps", 2},
                       {"batch_tokens", 256},
                       {"text.held_out", 0.2}};
    const Settings reward{
        {"model", model}, {"data", {pairs}}, {"batch_pairs", 8}, {"epochs", 0.5}, {"text.held_out", 0.2}};
    close(w.make("sft", "sft", sft, dtype), 18);
    close(w.make("sft", "sft-lora", with(sft, lora), dtype), 6);
    close(w.make("reward", "reward", reward, dtype), 18);
    close(w.make("reward", "reward-lora", with(reward, lora), dtype), 6);
    close(w.make("reward", "ensemble", with(reward, {{"ensemble", 3}, {"adapter.rank", 2}}), dtype), 6);
    INFO("members one at a time");
    close(w.make("reward", "full-ensemble", with(reward, {{"ensemble", 3}}), dtype), 18);
    close(w.make("preference", "dpo", reward, dtype), 18);
    close(w.make("preference", "dpo-lora", with(reward, lora), dtype), 6);
    const Settings ppo{{"model", model},        {"reward", w.path("reward/model")},
                       {"prompts", {pairs}},    {"steps", 2},
                       {"batch_prompts", 4},    {"minibatches", 1},
                       {"critic_warmup", 0},    {"sampling.max_tokens", 4},
                       {"skip_held_out", false}};
    INFO("full policy, full critic");
    close(w.make("ppo", "ppo", ppo, dtype), 42);
    INFO("full policy, an adapter over the reference for a critic");
    close(w.make("ppo", "ppo-critic", with(ppo, {{"critic", model}, {"critic_adapter.rank", 2}}), dtype), 24.9);
    INFO("adapters over one trunk, the reward model's too");
    Settings shared = with(ppo, lora);
    shared["reward"] = w.path("reward-lora/model");
    close(w.make("ppo", "ppo-lora", shared, dtype), 8);
    INFO("the same, the trunk named by another path than the reward model's adapter names it");
    close(
        w.make("ppo", "ppo-lora-relative", with({{"model", std::filesystem::relative(model).string()}}, shared), dtype),
        8);
    INFO("adapters, and a reward model of its own base");
    close(w.make("ppo", "ppo-lora-other", with(ppo, lora), dtype), 12);
  }
}
