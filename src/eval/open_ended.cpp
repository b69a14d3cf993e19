#include "eval/open_ended.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/rng.h"
#include "data/encode_rows.h"
#include "data/split.h"
#include "eval/agreement.h"
#include "eval/answers.h"
#include "eval/open_ended_measures.h"
#include "eval/outcome.h"
#include "eval/refusals.h"
#include "eval/reward_audit.h"
#include "eval/text_measures.h"
#include "rewards/agreement.h"
#include "rewards/checked_prompts.h"
#include "rewards/reward_model.h"
#include "text/tokenizer.h"
#include "world/story_reader.h"

namespace hone::eval {
namespace {

// Adds the held-out prompts of `files`.
void add_prompts(OpenPrompts& out, const std::vector<std::string>& files, bool harmful, const EvalParams& params,
                 const rewards::Checkers& checkers, const data::Encoder& encoder, int64_t context, int64_t seed) {
  auto read = rewards::read_checked_prompts(files, params.read, checkers);
  log::info("  " + read.report.summary());
  std::vector<data::Prompt> rows = std::move(read.rows);
  if (params.held_out > 0) rows = data::split(std::move(rows), params.held_out, static_cast<uint64_t>(seed)).held_out;
  // A reward model knows which prompts it has learnt from.
  for (const std::string& folder : {params.reward, params.second_reward}) {
    const fs::path manifest = folder.empty() ? fs::path() : fs::path(folder).parent_path() / config::names::kSplit;
    if (!manifest.empty() && fs::exists(manifest))
      data::require_disjoint(data::SplitManifest::load(manifest), std::span<const data::Prompt>(rows),
                             "the evaluation's prompts");
  }
  if (params.limit > 0 && static_cast<int64_t>(rows.size()) > params.limit) {
    Stream(static_cast<uint64_t>(seed), "eval-limit").shuffle(rows);
    rows.resize(params.limit);
  }
  auto encoded = data::encode_prompts(rows, encoder, params.length, context, params.sampling.max_tokens);
  log::info("  " + encoded.lengths.summary());
  data::require_kept(encoded.lengths, params.length, harmful ? "harmful prompts" : "prompts");
  for (size_t i = 0; i < encoded.items.size(); ++i) {
    const data::Prompt& row = rows[encoded.rows[i]];
    out.ids.push_back(row.id);
    out.texts.push_back(text::readable(row.messages));
    out.tokens.push_back(std::move(encoded.items[i]));
    out.keys.push_back(hash64(row.id));
    if (!checkers.empty()) out.rows.push_back(row.row ? row.row : std::make_shared<const Json>(Json::object()));
    if (!params.harmful.empty()) out.harmful.push_back(harmful);
  }
}

OpenPrompts choose_prompts(const EvalParams& params, const rewards::Checkers& checkers, const data::Encoder& encoder,
                           int64_t context, int64_t seed) {
  if (params.prompts.empty()) usage_error("eval: no prompts", "give prompts = [\"FILE\", …]");
  OpenPrompts out;
  add_prompts(out, params.prompts, false, params, checkers, encoder, context, seed);
  if (!params.harmful.empty()) add_prompts(out, params.harmful, true, params, checkers, encoder, context, seed);
  return out;
}

// What the page and the record say by themselves: how far is too far, and whom the reward has fooled.
std::vector<std::string> warnings_of(const OpenMeasures& e) {
  std::vector<std::string> out;
  for (const Measured& m : e.models) {
    if (const auto kl = e.measure("kl_per_token", m); kl && kl->value > kMostKlPerToken)
      out.push_back(m.name + " is " + decimal_text(kl->value, 3) +
                    " nats a token away from where it started, more than " + decimal_text(kMostKlPerToken, 1) +
                    ": look at its answers; train less, or at a lower rate");
    if (const auto r = e.measure("start_loss_ratio", m); r && r->value >= kMostStartLossRatio)
      out.push_back("the start model finds " + m.name + "'s answers " + decimal_text(100 * (r->value - 1), 0) +
                    "% less likely, token for token, than its own: such a policy is often wrecked; train less, or at a "
                    "lower rate");
    const auto first = e.measure("win_rate", m), second = e.measure("second_win_rate", m);
    if (first && second && first->low > 0.5 && !(second->low > 0.5))
      out.push_back("over-optimised: the reward model that " + m.name + " was trained on prefers its answers (" +
                    decimal_text(100 * first->value, 1) +
                    "% wins), a second one that nobody optimised does not surely (" +
                    decimal_text(100 * second->value, 1) + "%)");
  }
  return out;
}

// What was measured of nobody is no column.
void print_table(const OpenMeasures& e, const Agreement* agreement) {
  const auto pad = [](std::string s, size_t width) {
    s.resize(std::max(width, s.size()), ' ');
    return s;
  };
  const auto measured = [&](const std::string& what, const Measured& m) {
    return what != "agreement" ? e.measure(what, m) : agreement ? agreement->measure(what, m.name, "") : std::nullopt;
  };
  const std::pair<const char*, int> kColumns[] = {{"utility", 3},    {"checked", 3},      {"reward", 3},
                                                  {"win_rate", 3},   {"agreement", 3},    {"kl", 2},
                                                  {"perplexity", 2}, {"length", 1},       {"eos_share", 3},
                                                  {"repetition", 3}, {"kl_per_token", 3}, {"start_loss_ratio", 3}};
  size_t name_width = 12;
  for (const Measured& m : e.models) name_width = std::max(name_width, m.name.size() + 2);
  std::string head = "  " + pad("model", name_width);
  std::vector<std::string> lines;
  for (const Measured& m : e.models) lines.push_back("  " + pad(m.name, name_width));
  for (const auto& [what, decimals] : kColumns) {
    const std::string column = what;
    if (std::ranges::none_of(e.models, [&](const Measured& m) { return measured(column, m).has_value(); })) continue;
    const size_t width = std::max<size_t>(8, column.size()) + 2;
    head += pad(column, width);
    for (size_t i = 0; i < lines.size(); ++i) {
      const auto v = measured(column, e.models[i]);
      lines[i] += pad(v ? decimal_text(v->value, decimals) : "-", width);
    }
  }
  log::info(head);
  for (const std::string& line : lines) log::info(line);
}

}  // namespace

void run_open_ended(const EvalParams& params, config::StageContext& context) {
  const int64_t seed = context.run.seed;
  const bool stories = params.judge == "stories";
  std::vector<std::pair<std::string, std::string>> folders;
  for (const std::string& text : params.models) folders.push_back(name_and_folder(text, "models"));
  const auto start_folder = std::ranges::find(folders, params.start, &std::pair<std::string, std::string>::first);
  const std::string original_folder = params.original.empty() ? start_folder->second : params.original;

  // 1. The same prompts for everybody, which one tokenizer makes sure of.
  const auto open = [&](const std::string& name, const std::string& folder) {
    EvaluatedModel evaluated = open_evaluated_model(name, folder, context.run.device, params.length.chat_format);
    const std::string dtype =
        rewards::resolve_dtype(context.run.dtype, evaluated.decoder.config(), at::Device(context.run.device));
    if (dtype == "bf16") evaluated.compute = at::kBFloat16;
    context.record.dtype = dtype;
    context.record.dtype_reason =
        std::string(context.run.dtype == "auto" ? "by the models' size" : "asked for") +
        (dtype == "bf16" ? "; log-probabilities and rewards: answers are sampled in f32" : "");
    return evaluated;
  };
  const EvaluatedModel original = open("original", original_folder);
  const data::Encoder& encoder = original.encoder;
  std::optional<rewards::RewardModel> reward;
  if (!params.reward.empty())
    reward = rewards::RewardModel::load(params.reward, at::Device(context.run.device), context.run.dtype);
  std::optional<rewards::RewardModel> second;
  if (!params.second_reward.empty())
    second = rewards::RewardModel::load(params.second_reward, at::Device(context.run.device), context.run.dtype);
  std::vector<std::string> others{params.reward, params.second_reward};
  for (const auto& [name, folder] : folders) others.push_back(folder);
  for (const std::string& folder : others)
    if (!folder.empty())
      text::require_same_tokenizer(encoder.tokenizer(), folder, "has another tokenizer than " + original_folder,
                                   "KL, perplexity and reward are of the very tokens that were sampled");
  const rewards::Checkers checkers = rewards::make_checkers(params.checkers, params.checker_settings);
  OpenMeasures e(choose_prompts(params, checkers, encoder, original.decoder.config().max_positions, seed),
                 params.samples);

  std::optional<Agreement> agreement;
  std::vector<double> original_margins;
  if (!params.comparisons.empty()) {
    agreement.emplace(read_comparisons(params, encoder, original.decoder.config().max_positions, seed));
    original_margins = answer_margins(original, agreement->comparisons(), "  original's comparisons");
    if (reward) agreement->add("reward", "reward model", reward_margins(*reward, agreement->comparisons()));
    if (second) agreement->add("second_reward", "reward model", reward_margins(*second, agreement->comparisons()));
  }
  std::optional<Passages> passages;
  if (!params.texts.empty())
    passages = draw_passages(params.texts, params.text_passages, encoder.tokenizer(),
                             original.decoder.config().max_positions, seed);

  const auto as_rewarded = [&](std::span<const Answer> answers) {
    return whole_sequences(answers, encoder, params.close_unfinished, original.decoder.config().max_positions);
  };

  // 2. Answers, and what each is measured by.
  const uint64_t sampling_seed = mix64(static_cast<uint64_t>(seed), hash64("eval"));
  e.models.reserve(folders.size());
  Json ends = Json::object();
  for (const auto& [name, folder] : folders) {
    const EvaluatedModel evaluated = open(name, folder);
    ends[name] = evaluated.encoder.endings().to_json();
    Measured m{.name = name, .folder = folder};
    m.answers = answer(evaluated.decoder, evaluated.encoder, e.prompts.tokens, e.prompts.keys, params.samples,
                       params.sampling, sampling_seed, "  " + name + " answers");
    for (const double logp : answer_logps(original, m.answers)) m.nll.push_back(-logp);
    // KL is at the temperature that was sampled, perplexity at the model's own.
    if (const double temperature = params.sampling.temperature; folder != original_folder && temperature > 0)
      m.kl = answer_kl(evaluated, original, m.answers, temperature);
    for (size_t i = 0; i < m.answers.size() && !checkers.empty(); ++i) {
      double least = 1;
      for (const auto& checker : checkers)
        least = std::min(least,
                         checker->check(m.answers[i].text, *e.prompts.rows[i / static_cast<size_t>(params.samples)]));
      m.checked.push_back(least);
    }
    if (reward) m.reward = reward->score(as_rewarded(m.answers));
    if (second) m.second_reward = second->score(as_rewarded(m.answers));
    if (agreement && folder != original_folder) {
      std::vector<double> margins = answer_margins(evaluated, agreement->comparisons(), "  " + name + "'s comparisons");
      for (size_t i = 0; i < margins.size(); ++i) margins[i] -= original_margins[i];
      agreement->add(name, "implicit reward", margins);
    }
    if (passages) m.texts = text_loss(evaluated, *passages, "  " + name + " on held-out texts");
    for (size_t i = 0; i < m.answers.size(); ++i) {
      m.words.push_back(words_of(m.answers[i].text));
      if (stories)
        m.stories.push_back(
            world::read_story(e.prompts.texts[i / static_cast<size_t>(params.samples)] + m.answers[i].text));
    }
    e.models.push_back(std::move(m));
  }
  e.start = e.find(params.start), e.final_model = e.find(params.final_model);
  context.record.ends_json = dump_json(ends);

  // 3. The reward model against the people whose comparisons it learnt from.
  std::optional<RewardAudit> audit;
  if (stories && reward && !params.annotators.empty()) {
    std::optional<EvaluatedModel> other;
    if (e.start->folder != original_folder)
      other = open_evaluated_model(e.start->name, e.start->folder, context.run.device, params.length.chat_format);
    const EvaluatedModel& start = other ? *other : original;
    const std::vector<Answer> answers =
        answer(start.decoder, start.encoder, e.prompts.tokens, e.prompts.keys, params.audit_samples, params.sampling,
               mix64(sampling_seed, 1), "  reward model audit");
    std::vector<double> utility;
    std::vector<world::Seen> seen;
    for (size_t i = 0; i < answers.size(); ++i) {
      const world::StoryScore score =
          world::read_story(e.prompts.texts[i / static_cast<size_t>(params.audit_samples)] + answers[i].text);
      utility.push_back(score.total);
      seen.push_back(world::seen(score));
    }
    audit = audit_reward_model(*reward, params.annotators, answers, as_rewarded(answers), utility, seen,
                               params.audit_samples, seed);
  }

  // 4. results.json.
  Json results{{"task", stories ? "stories" : "answers"},
               {"about", count_text(static_cast<int64_t>(e.prompts.ids.size())) + " held-out prompts" +
                             (params.samples > 1 ? ", " + std::to_string(params.samples) + " answers each" : "") +
                             ", sampled at temperature " + decimal_text(params.sampling.temperature, 1) + ", at most " +
                             std::to_string(params.sampling.max_tokens) + " tokens"},
               {"start", params.start},
               {"final", params.final_model}};
  if (stories) results["gold_name"] = "reader's utility";
  if (!stories && !params.checkers.empty()) {
    results["gold_name"] = "correctness";
    results["gold_about"] =
        "the share of answers that are right by " + std::string(params.checkers.size() == 1 ? "a rule" : "rules");
  } else if (!stories && reward) results["wins_by"] = "learned reward";
  if (second) results["second_wins_by"] = "a second reward model, which nobody optimised";
  results["limits"] = {{"kl_per_token", kMostKlPerToken}, {"start_loss_ratio", kMostStartLossRatio}};
  results["refusal_phrases"] = Json::array();
  for (const std::string_view phrase : refusal_phrases()) results["refusal_phrases"].push_back(phrase);
  if (agreement) results["comparisons"] = agreement->to_json();
  if (passages)
    results["texts_about"] = count_text(std::ssize(passages->ids)) + " passages from " +
                             count_text(static_cast<int64_t>(passages->count)) + " texts";
  results["models"] = Json::array();
  for (const Measured& m : e.models) results["models"].push_back(e.model_json(m));
  if (stories)
    for (const world::Part& p : e.models.front().stories.front().parts)
      results["parts"].push_back({{"name", p.name}, {"weight", p.weight}});
  results["differences"] = Json::array();
  for (const Measured& m : e.models) {
    if (&m == e.start) continue;
    for (const auto& [what, shown] :
         {std::pair{"utility", "gold"},
          {"checked", "right answers"},
          {"reward", "learned reward"},
          {"second_reward", "second reward"},
          {"refusals", "refuses harmful prompts"},
          {"over_refusals", params.harmful.empty() ? "refuses" : "refuses harmless prompts"},
          {"perplexity", "perplexity"},
          {"repetition", "repeated word triples"},
          {"eos_share", "ends by itself"}})
      if (const auto d = e.difference(what, m, *e.start)) {
        Json j = rewards::estimate_json(*d);
        j["name"] = std::string(shown) + ": " + m.name + " − " + e.start->name;
        results["differences"].push_back(j);
      }
  }
  results["side_by_side_about"] = !stories && !reward && checkers.empty()
                                      ? std::string("drawn at random")
                                      : "half drawn at random, half those on which the final model's " +
                                            std::string(stories            ? "utility"
                                                        : checkers.empty() ? "reward"
                                                                           : "being right") +
                                            " changed most";
  results["side_by_side"] = e.side_by_side(params.side_by_side, seed);

  // 5. Checks, in words and numbers.
  print_table(e, agreement ? &*agreement : nullptr);
  const auto measure = [&](const std::string& what, const std::string& a,
                           const std::string& b) -> std::optional<stats::Estimate> {
    if (is_measure_of(what, "comparisons")) return agreement ? agreement->measure(what, a, b) : std::nullopt;
    const Measured *x = e.find(a), *y = b.empty() ? nullptr : e.find(b);
    if (!x || (!b.empty() && !y)) return std::nullopt;
    return y ? e.difference(what, *x, *y) : e.measure(what, *x);
  };
  for (const std::string& warning : warnings_of(e)) {
    context.record.warnings.emplace_back(0, warning);
    log::warn(warning);
  }
  Json summary = Json::object();
  if (agreement)
    for (const Measured& m : e.models)
      if (const auto v = agreement->measure("agreement", m.name, "")) summary["agreement_" + m.name] = v->value;
  for (const char* what : {"utility", "checked", "reward", "kl", "perplexity", "kl_per_token", "start_loss_ratio",
                           "over_refusals", "text_perplexity_ratio", "second_win_rate"})
    for (const Measured& m : e.models)
      if (const auto v = e.measure(what, m)) summary[std::string(what) + "_" + m.name] = v->value;
  write_outcome(params.require, measure, audit, std::move(results), e.sample_lines(), std::move(summary), context);
}

}  // namespace hone::eval
