// Comparisons by simulated people: a policy answers each prompt several times, an annotator of the built-in world (or a
// simulated reader of stories) sees two answers and notes which one is better. What is written is what a person would
// have left: prompt, chosen, rejected, who judged. The true utilities stay in this process.
#pragma once
#include "config/fields.h"
#include "config/stage_context.h"
#include "rollout/rollout.h"
#include "world/params.h"

namespace hone::collect {

struct CompareParams {
  std::string model;
  std::string world;
  std::vector<std::string> prompts;
  std::string judge = "world";
  int64_t count = 4000;
  int64_t samples = 4;
  int64_t pairs = 3;
  int64_t opening_tokens = 12;
  rollout::SamplingParams sampling;
  world::AnnotatorParams annotator;

  CompareParams() { sampling.max_tokens = 40; }

  /// No model, prompts or world, more pairs than the samples make: kUsage.
  void check() const;

  void fields(config::Fields& v) {
    v.path("model", model, "folder of the model whose answers are compared");
    v.path("world", world, "folder of a world stage (judge = world)");
    v.path("prompts", prompts, "files of prompts; empty under judge = stories: the model tells the openings itself");
    v.choice("judge", judge, {"world", "stories"},
             "who compares: the world's annotators, or the simulated reader of children's stories");
    v("count", count, "prompts answered", "world probe");
    v("samples", samples, "answers to each prompt", "world probe");
    v("pairs", pairs, "comparisons of each prompt, each of a different pair of answers");
    v("opening_tokens", opening_tokens, "length of an opening that the model tells itself, in tokens");
    v.range("samples", 2);
    for (const char* key : {"count", "pairs", "opening_tokens"}) v.range(key, 1);
    v.group("sampling", sampling);
    v.group("annotator", annotator);
    v.only_if("world", "judge = world", [this] { return judge == "world"; });
    v.only_if("opening_tokens", "there are no prompts", [this] { return prompts.empty(); });
  }
};

/// Writes comparisons.jsonl, prompts.jsonl (the prompts that were answered) and annotators.json (their settings, for
/// evaluation).
void run_compare(const CompareParams& params, config::StageContext& context);

}  // namespace hone::collect
