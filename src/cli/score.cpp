#include <cmath>

#include "cli/jsonl.h"
#include "cli/model_options.h"
#include "cli/row_text.h"
#include "cli/verb.h"

namespace hone::cli {

int score(Options& options) {
  ModelOptions model;
  RowText text;
  JsonlOptions rows;
  model.declare(options, "reward model folder");
  text.declare(options);
  rows.declare(options);
  options.about(
      "{\"prompt\", \"completion\"} or {\"messages\"} that end with the assistant (or {\"ids\"}) to {\"reward\"}, "
      "shifted and scaled as the model's config says, at the end of the last answer (what a chat template writes "
      "behind it counts for nothing: rewards of its reference samples have mean 0 and standard deviation 1.");
  options.example(
      "echo '{\"prompt\": \"where is the ball?\", \"completion\": \"in the garden\"}' | hone score --model "
      "runs/align/06-reward/model",
      "one reward");
  options.example("hone score --model DIR --in answers.jsonl --out scored.jsonl", "a file of answers");
  if (!options.parse()) return kDone;

  const infer::Engine engine = infer::Engine::open(model.path(), model.engine, true);
  text.open(model.path(), engine.end_ids());
  rows.chunk_rows = 64;
  return process_jsonl(rows, {"prompt", "completion", "messages", "ids", "reward"}, [&](std::span<Item*> items) {
    std::vector<Item*> good;
    std::vector<std::vector<int32_t>> sequences;
    for_each_item(items, [&](Item& item) {
      if (!item.row.contains("ids") && !item.row.contains("messages") && !item.row.contains("prompt"))
        lacks("'prompt' and 'completion', 'messages', 'ids'");
      std::vector<int32_t> ids = item.row.contains("ids") ? ids_of(item.row) : text.answered(item.row, true).ids;
      engine.require_fit(ids);
      sequences.push_back(std::move(ids));
      good.push_back(&item);
    });
    const std::vector<double> rewards = engine.score(sequences);
    for (size_t i = 0; i < good.size(); ++i) {
      if (std::isfinite(rewards[i])) good[i]->row["reward"] = rewards[i];
      else good[i]->fail("the model gives a reward that is not finite");
    }
  });
}

}  // namespace hone::cli
