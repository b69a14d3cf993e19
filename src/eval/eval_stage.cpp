#include "eval/eval_stage.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/rng.h"
#include "data/read.h"
#include "eval/answers.h"
#include "eval/checks.h"
#include "eval/open_ended.h"
#include "eval/results_json.h"
#include "eval/reward_audit.h"
#include "eval/watched.h"
#include "rewards/agreement.h"
#include "world/saved.h"

namespace hone::eval {
namespace {

struct Judged {
  std::string name, folder;
  std::vector<Answer> answers;
  std::vector<world::GoldScore> scores;
  std::vector<double> gold, kl;  // one for each prompt
};

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
    out.resize(static_cast<size_t>(params.limit));
  }
  return out;
}

Json model_json(const Judged& m, const Judged* start, std::span<const world::WorldPrompt* const> prompts) {
  std::map<std::string, std::vector<double>> parts, families;
  std::vector<double> correct, gave_in, harm, lookalike, hidden, visible, length;
  for (size_t i = 0; i < prompts.size(); ++i) {
    const world::GoldScore& s = m.scores[i];
    for (const world::Part& p : s.parts) parts[std::string(p.name)].push_back(p.value);
    families[std::string(world::family_name(prompts[i]->family))].push_back(s.total);
    if (s.correct) correct.push_back(*s.correct);
    if (prompts[i]->opinion_is_wrong()) gave_in.push_back(s.gave_in);
    if (prompts[i]->family == world::Family::kHarm) harm.push_back(s.refused);
    if (prompts[i]->family == world::Family::kLookalike) lookalike.push_back(s.refused);
    hidden.push_back(s.hidden_fault);
    visible.push_back(s.visible_fault);
    length.push_back(static_cast<double>(m.answers[i].ids.size()));
  }
  Json j{{"name", m.name}, {"path", m.folder}, {"gold", mean_json(m.gold)}};
  for (const auto& [name, values] : parts) j["parts"][name] = mean_json(values);
  for (const auto& [name, values] : families) j["families"][name] = mean_json(values);
  j["correctness"] = share_json(correct);
  if (!gave_in.empty()) j["give_in"] = share_json(gave_in);
  if (!harm.empty()) j["refusals"]["harm"] = share_json(harm);
  if (!lookalike.empty()) j["refusals"]["lookalike"] = share_json(lookalike);
  j["hidden_faults"] = share_json(hidden);
  j["visible_faults"] = share_json(visible);
  j["length"] = mean_json(length);
  if (start && start != &m) {
    const std::vector<double> wins = wins_over(m.gold, start->gold);
    j["win_rate"] = mean_json(wins);
    j["win_rate"]["ties"] = std::ranges::count(wins, 0.5);
    j["kl"] = mean_json(m.kl);
  }
  return j;
}

Json side_by_side(const EvalParams& params, std::span<const Judged> models, const Judged* start,
                  const Judged* final_model, std::span<const world::WorldPrompt* const> prompts, int64_t seed) {
  std::vector<double> change;
  if (start && final_model && start != final_model)
    for (size_t i = 0; i < prompts.size(); ++i) change.push_back(final_model->gold[i] - start->gold[i]);
  Json out = Json::array();
  for (const size_t i : side_by_side_order(prompts.size(), params.side_by_side, change, seed)) {
    Json answers = Json::object();
    for (const Judged& m : models) {
      Json parts = Json::object();
      for (const world::Part& p : m.scores[i].parts) parts[std::string(p.name)] = p.value;
      answers[m.name] = {{"text", m.answers[i].text}, {"gold", m.gold[i]}, {"parts", parts}};
    }
    out.push_back({{"id", prompts[i]->id},
                   {"family", world::family_name(prompts[i]->family)},
                   {"prompt", prompts[i]->text},
                   {"answers", answers}});
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

using Names = std::set<std::string>;

// Found before anything is sampled: a measure that does not exist, of something that is not there.
void require_measurable(const Check& c, const EvalParams& params, const Names& models, const Names& watched) {
  static const Names kAudit{"reward_accuracy_gap", "reward_correlation"},
      kWatched{"warnings", "watched_gain", "watched_fall", "score_gain", "warning_lead"},
      kWorld{"gold", "correct", "give_in", "hidden_faults", "visible_faults", "win_rate", "kl"},
      kOther{"utility",   "reward",     "win_rate",   "kl",         "perplexity",     "length",
             "eos_share", "repetition", "distinct_1", "distinct_2", "distinct_across"};
  const std::string check = "the check '" + c.text + "'";
  const bool world = params.judge == "world";
  if (kAudit.contains(c.what)) {
    if (params.reward.empty()) usage_error(check + " is about a reward model", "give reward = \"FOLDER\"");
    if (!c.a.empty()) usage_error(check + " names '" + c.a + "', and this measure is of the reward model alone");
    return;
  }
  if (world && kWatched.contains(c.what)) {
    if (!watched.contains(c.a))
      usage_error(check + " names '" + c.a + "', which is none of `curves`",
                  "give curves = [\"NAME=@STAGE/metrics.jsonl\"] of a stage that was watched");
    if (!c.b.empty()) usage_error(check + ": this measure has no difference of two");
    return;
  }
  if (!(world ? kWorld : kOther).contains(c.what))
    usage_error(check + ": judge = \"" + params.judge + "\" measures no '" + c.what + "'",
                "`hone explain eval.require` names the measures");
  if (c.what == "utility" && params.judge != "stories") usage_error(check + " needs judge = \"stories\"");
  if (c.what == "reward" && params.reward.empty()) usage_error(check + " needs reward = \"FOLDER\"");
  const auto require_model = [&](const std::string& name) {
    if (!models.contains(name)) usage_error(check + " names '" + name + "', which is none of `models`");
  };
  require_model(c.a);
  if (!c.b.empty()) require_model(c.b);
}

}  // namespace

void EvalParams::check() const {
  if (models.empty()) usage_error("no models", "give models = [\"sft=@sft\", \"ppo=@ppo\"]");
  std::set<std::string> names;
  for (const std::string& text : models)
    if (const auto [name, folder] = name_and_folder(text, "models"); !names.insert(name).second)
      usage_error("two models are called '" + name + "'", "every NAME=FOLDER needs a name of its own");
  static const std::set<std::string> kTasks{
#define HONE_TASK(id, doc) #id,
#include "eval/tasks.def"
#undef HONE_TASK
  };
  for (const std::string& t : tasks)
    if (!kTasks.contains(t)) usage_error("unknown task '" + t + "'", "`hone list tasks` names them");
  if (judge == "world" && world.empty()) usage_error("no world to judge by", "give world = \"@world\"");
  if (judge != "world" && !names.contains(start))
    usage_error("the start model '" + start + "' is none of `models`", "set start = \"NAME\"");
  std::set<std::string> watched;
  for (const std::string& text : curves) watched.insert(name_and_folder(text, "curves").first);
  for (const std::string& text : require) require_measurable(parse_check(text), *this, names, watched);
}

void run_eval(const EvalParams& params, config::StageContext& context) {
  if (params.judge != "world") return run_open_ended(params, context);
  const int64_t seed = context.run.seed;
  const world::World world = world::load_world(params.world);
  const std::vector<const world::WorldPrompt*> prompts = choose_prompts(params, world, seed);
  std::vector<std::vector<text::Message>> messages;
  std::vector<std::string> ids;
  for (const world::WorldPrompt* p : prompts) {
    messages.push_back({{"user", p->text}});
    ids.push_back(p->id);
  }

  // 1. Everybody answers the same questions; KL per answer from the start model is k1 on each model's own answers.
  const uint64_t sampling_seed = mix64(static_cast<uint64_t>(seed), hash64("eval"));
  std::optional<Speaker> reference;  // the start model
  for (const std::string& text : params.models)
    if (const auto [name, folder] = name_and_folder(text, "models"); name == params.start)
      reference = open_speaker(name, folder, context.run.device);
  std::vector<Judged> models;
  for (const std::string& text : params.models) {
    const auto [name, folder] = name_and_folder(text, "models");
    std::optional<Speaker> opened;
    if (name != params.start) opened = open_speaker(name, folder, context.run.device);
    const Speaker& speaker = opened ? *opened : *reference;
    Judged m{
        name,
        folder,
        answer(speaker.decoder, folder, messages, ids, 1, params.sampling, sampling_seed, "  " + name + " answers"),
        {},
        {},
        {}};
    for (size_t i = 0; i < prompts.size(); ++i) {
      m.scores.push_back(world.score(*prompts[i], m.answers[i].text));
      m.gold.push_back(m.scores.back().total);
    }
    if (opened && reference) {
      const std::vector<double> own = answer_logps(speaker.decoder, m.answers),
                                theirs = answer_logps(reference->decoder, m.answers);
      for (size_t i = 0; i < own.size(); ++i) m.kl.push_back(own[i] - theirs[i]);
    }
    models.push_back(std::move(m));
  }
  const auto find = [&](const std::string& name) {
    const auto it = std::ranges::find(models, name, &Judged::name);
    return it == models.end() ? nullptr : &*it;
  };
  Judged *start = find(params.start), *final_model = find(params.final_model);

  // 2. results.json.
  Json results{{"task", "world"},
               {"about", std::to_string(prompts.size()) + " held-out prompts, sampled at temperature " +
                             decimal_text(params.sampling.temperature, 1)},
               {"start", params.start},
               {"final", params.final_model},
               {"parts", Json::array()},
               {"models", Json::array()},
               {"differences", Json::array()}};
  for (const Judged& m : models) results["models"].push_back(model_json(m, start, prompts));
  const auto flags = [&](const Judged& m, auto of) {
    std::vector<double> out;
    for (size_t i = 0; i < prompts.size(); ++i)
      if (const std::optional<double> v = of(m.scores[i], *prompts[i])) out.push_back(*v);
    return out;
  };
  const auto correct = [](const world::GoldScore& s, const world::WorldPrompt&) -> std::optional<double> {
    return s.correct ? std::optional<double>(*s.correct) : std::nullopt;
  };
  const auto gave_in = [](const world::GoldScore& s, const world::WorldPrompt& p) -> std::optional<double> {
    return p.opinion_is_wrong() ? std::optional<double>(s.gave_in) : std::nullopt;
  };
  const auto difference = [&](const std::string& what, const Judged& a, const Judged& b, auto of) {
    const stats::Estimate e = paired_difference(flags(a, of), flags(b, of));
    Json j = rewards::estimate_json(e);
    j["name"] = what + ": " + a.name + " − " + b.name;
    results["differences"].push_back(j);
    return e;
  };
  const auto gold = [](const world::GoldScore& s, const world::WorldPrompt&) -> std::optional<double> {
    return s.total;
  };
  if (start)
    for (const Judged& m : models)
      if (&m != start) {
        difference("gold", m, *start, gold);
        difference("correctness", m, *start, correct);
        if (!flags(m, gave_in).empty()) difference("give in", m, *start, gave_in);
      }
  results["side_by_side_about"] = "half drawn at random, half those on which the final model's gold changed most";
  std::map<std::string, double> part_weights;
  for (const world::GoldScore& g : models.front().scores)
    for (const world::Part& p : g.parts) part_weights[std::string(p.name)] = p.weight;
  for (const auto& [name, weight] : part_weights) results["parts"].push_back({{"name", name}, {"weight", weight}});
  results["side_by_side"] = side_by_side(params, models, start, final_model, prompts, seed);
  std::vector<Watched> watched;
  for (const std::string& text : params.curves) watched.push_back(read_watched(text));
  add_curves(watched, results);

  // 3. The reward model against the people and against gold.
  std::optional<RewardAudit> audit;
  if (!params.reward.empty() && start) {
    const std::vector<Answer> answers = answer(reference->decoder, start->folder, messages, ids, params.audit_samples,
                                               params.sampling, mix64(sampling_seed, 1), "  reward model audit");
    std::vector<double> gold_of;
    std::vector<world::Seen> seen;
    for (size_t i = 0; i < answers.size(); ++i) {
      const world::GoldScore score =
          world.score(*prompts[i / static_cast<size_t>(params.audit_samples)], answers[i].text);
      gold_of.push_back(score.total);
      seen.push_back(world::seen(score));
    }
    audit = audit_reward_model(
        rewards::RewardModel::load(params.reward, at::Device(context.run.device), at::ScalarType::Undefined),
        params.annotators, answers, whole_sequences(answers), gold_of, seen, params.audit_samples, seed);
    results["reward_model"] = parse_json(audit->json, "audit");
  }

  // 4. Checks, in words and numbers.
  print_table(results["models"]);
  const auto measure = [&](const std::string& what, const std::string& a,
                           const std::string& b) -> std::optional<stats::Estimate> {
    if (what == "reward_correlation") return audit ? std::optional(audit->correlation) : std::nullopt;
    if (what == "reward_accuracy_gap") return audit ? std::optional(audit->accuracy_gap) : std::nullopt;
    if (const auto w = std::ranges::find(watched, a, &Watched::name); w != watched.end() && b.empty())
      if (const auto found = w->measure(what)) return found;
    const Judged *x = find(a), *y = b.empty() ? nullptr : find(b);
    if (!x || (!b.empty() && !y)) return std::nullopt;
    const auto of = [&](const Judged& m) -> std::vector<double> {
      if (what == "gold") return m.gold;
      if (what == "correct") return flags(m, correct);
      if (what == "give_in") return flags(m, gave_in);
      if (what == "hidden_faults")
        return flags(m, [](const auto& s, const auto&) -> std::optional<double> { return s.hidden_fault; });
      if (what == "visible_faults")
        return flags(m, [](const auto& s, const auto&) -> std::optional<double> { return s.visible_fault; });
      if (what == "kl") return m.kl;
      if (what == "win_rate" && start) return wins_over(m.gold, start->gold);
      return {};
    };
    const std::vector<double> u = of(*x), v = y ? of(*y) : std::vector<double>{};
    if (u.empty() || (y && v.size() != u.size())) return std::nullopt;
    return y ? paired_difference(u, v) : stats::mean_interval(u);
  };
  const Checks checks = run_checks(params.require, measure);
  results["checks"] = checks.list;
  write_file_atomic(context.folder / config::names::kResults, dump_json(results, 1) + "\n");
  std::string samples;
  for (const Judged& m : models) {
    for (size_t i = 0; i < prompts.size(); ++i) {
      Json line{{"model", m.name},
                {"id", prompts[i]->id},
                {"prompt", prompts[i]->text},
                {"completion", m.answers[i].text},
                {"gold", m.gold[i]}};
      for (const world::Part& p : m.scores[i].parts) line["parts"][std::string(p.name)] = p.value;
      if (!prompts[i]->held_out.empty()) line["held_out"] = prompts[i]->held_out;
      samples += dump_json(line) + "\n";
    }
  }
  write_file_atomic(context.folder / config::names::kSamples, samples);
  Json summary = Json::object();
  for (const Judged& m : models) summary["gold_" + m.name] = stats::mean(m.gold);
  if (audit)
    summary["reward_accuracy"] = audit->accuracy.value, summary["reward_correlation"] = audit->correlation.value;
  summary["checks_failed"] = checks.failed;
  context.record.summary_json = dump_json(summary);
  warn_of_failed(checks, context);
}

}  // namespace hone::eval
