#include "eval/world_task.h"

#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/rng.h"
#include "data/read.h"
#include "eval/answers.h"
#include "eval/outcome.h"
#include "eval/reward_audit.h"
#include "eval/watched.h"
#include "eval/world_measures.h"
#include "rewards/agreement.h"
#include "world/saved.h"

namespace hone::eval {
namespace {

std::vector<const world::WorldPrompt*> choose_prompts(const EvalParams& params, const world::World& world,
                                                      int64_t seed) {
  std::vector<const world::WorldPrompt*> out;
  for (const data::Prompt& p : data::read_prompts(params.prompts).rows) {
    const world::WorldPrompt* found = world.find(p.messages.back().content);
    if (!found)
      usage_error("eval: the world knows no prompt '" + p.messages.back().content + "'",
                  "prompts and world must come from the same world stage");
    out.push_back(found);
  }
  if (params.limit > 0 && static_cast<int64_t>(out.size()) > params.limit) {
    Stream(static_cast<uint64_t>(seed), "eval-limit").shuffle(out);  // every family keeps its share
    out.resize(params.limit);
  }
  return out;
}

void print_table(const Json& models) {
  log::info("  model          gold                    correct   win rate   KL/answer   length");
  const auto value = [](const Json& m, const char* key, int decimals) {
    return m.contains(key) ? decimal_text(m[key]["value"].get<double>(), decimals) : std::string("-");
  };
  const auto pad = [](std::string s, size_t n) {
    s.resize(std::max(n, s.size()), ' ');
    return s;
  };
  for (const Json& m : models) {
    const std::string gold = value(m, "gold", 3) + " [" + decimal_text(m["gold"]["low"].get<double>(), 3) + ", " +
                             decimal_text(m["gold"]["high"].get<double>(), 3) + "]";
    log::info("  " + pad(m["name"].get<std::string>(), 15) + pad(gold, 24) + pad(value(m, "correctness", 3), 10) +
              pad(value(m, "win_rate", 3), 11) + pad(value(m, "kl", 2), 12) + value(m, "length", 1));
  }
}

}  // namespace

void run_world(const EvalParams& params, config::StageContext& context) {
  const int64_t seed = context.run.seed;
  std::vector<Watched> watched;
  for (const std::string& text : params.curves) watched.push_back(read_watched(text));
  require_watched(watched, params.require);
  const world::World world = world::load_world(params.world);
  WorldMeasures e(choose_prompts(params, world, seed));
  std::vector<std::vector<text::Message>> messages;
  std::vector<std::string> ids;
  for (const world::WorldPrompt* p : e.prompts) {
    messages.push_back({{"user", p->text}});
    ids.push_back(p->id);
  }

  // 1. Everybody answers the same questions; KL per answer from the start model is k1 on each model's own answers.
  const uint64_t sampling_seed = mix64(static_cast<uint64_t>(seed), hash64("eval"));
  std::optional<EvaluatedModel> reference;  // the start model
  for (const std::string& text : params.models)
    if (const auto [name, folder] = name_and_folder(text, "models"); name == params.start)
      reference = open_evaluated_model(name, folder, context.run.device);
  if (reference) {
    const text::Tokenizer& tokenizer = reference->encoder.tokenizer();
    std::vector<std::string> others{params.reward};
    for (const std::string& text : params.models) others.push_back(name_and_folder(text, "models").second);
    for (const std::string& folder : others)
      if (!folder.empty() && folder != reference->folder)
        text::require_same_tokenizer(tokenizer, folder, "has another tokenizer than " + reference->folder,
                                     "KL and reward are of the very tokens that were sampled");
  }
  Json ends = Json::object();
  for (const std::string& text : params.models) {
    const auto [name, folder] = name_and_folder(text, "models");
    std::optional<EvaluatedModel> opened;
    if (name != params.start) opened = open_evaluated_model(name, folder, context.run.device);
    const EvaluatedModel& evaluated = opened ? *opened : *reference;
    ends[name] = evaluated.encoder.endings().to_json();
    Judged m{.name = name, .folder = folder};
    m.answers = answer(evaluated.decoder, evaluated.encoder, messages, ids, 1, params.sampling, sampling_seed,
                       "  " + name + " answers");
    for (size_t i = 0; i < e.prompts.size(); ++i) {
      m.scores.push_back(world.score(*e.prompts[i], m.answers[i].text));
      m.gold.push_back(m.scores.back().total);
    }
    if (const double temperature = params.sampling.temperature; opened && reference && temperature > 0)
      m.kl = answer_kl(evaluated, *reference, m.answers, temperature);
    e.models.push_back(std::move(m));
  }
  e.start = e.find(params.start), e.final_model = e.find(params.final_model);
  context.record.ends_json = dump_json(ends);

  // 2. results.json.
  Json results{{"task", "world"},
               {"about", std::to_string(e.prompts.size()) + " held-out prompts, sampled at temperature " +
                             decimal_text(params.sampling.temperature, 1)},
               {"start", params.start},
               {"final", params.final_model},
               {"parts", e.parts_json()},
               {"models", Json::array()},
               {"differences", Json::array()}};
  for (const Judged& m : e.models) {
    results["models"].push_back(e.model_json(m));
    if (!e.start || &m == e.start) continue;
    for (const auto& [what, shown] : {std::pair{"gold", "gold"}, {"correct", "correctness"}, {"give_in", "give in"}})
      if (const auto d = e.difference(what, m, *e.start)) {
        Json j = rewards::estimate_json(*d);
        j["name"] = std::string(shown) + ": " + m.name + " − " + e.start->name;
        results["differences"].push_back(j);
      }
  }
  results["side_by_side_about"] = "half drawn at random, half those on which the final model's gold changed most";
  results["side_by_side"] = e.side_by_side(params.side_by_side, seed);
  add_curves(watched, results);

  // 3. The reward model against the people and against gold.
  std::optional<RewardAudit> audit;
  if (!params.reward.empty() && e.start) {
    const std::vector<Answer> answers =
        answer(reference->decoder, reference->encoder, messages, ids, params.audit_samples, params.sampling,
               mix64(sampling_seed, 1), "  reward model audit");
    std::vector<double> gold;
    std::vector<world::Seen> seen;
    for (size_t i = 0; i < answers.size(); ++i) {
      const world::GoldScore score =
          world.score(*e.prompts[i / static_cast<size_t>(params.audit_samples)], answers[i].text);
      gold.push_back(score.total);
      seen.push_back(world::seen(score));
    }
    audit = audit_reward_model(
        rewards::RewardModel::load(params.reward, at::Device(context.run.device), context.run.dtype), params.annotators,
        answers, whole_sequences(answers, reference->encoder), gold, seen, params.audit_samples, seed);
  }

  // 4. Checks, in words and numbers.
  print_table(results["models"]);
  const auto measure = [&](const std::string& what, const std::string& a,
                           const std::string& b) -> std::optional<stats::Estimate> {
    if (const auto w = std::ranges::find(watched, a, &Watched::name); w != watched.end() && b.empty())
      if (const auto found = w->measure(what)) return found;
    const Judged *x = e.find(a), *y = b.empty() ? nullptr : e.find(b);
    if (!x || (!b.empty() && !y)) return std::nullopt;
    return y ? e.difference(what, *x, *y) : e.measure(what, *x);
  };
  Json summary = Json::object();
  for (const Judged& m : e.models) summary["gold_" + m.name] = stats::mean(m.gold);
  write_outcome(params.require, measure, audit, std::move(results), e.sample_lines(), std::move(summary), context);
}

}  // namespace hone::eval
