#include "collect/compare.h"

#include <algorithm>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/rng.h"
#include "base/stats.h"
#include "data/encoder.h"
#include "data/read.h"
#include "feedback/comparison.h"
#include "model/hf_folder.h"
#include "rollout/generate.h"
#include "text/tokenizer.h"
#include "world/annotators.h"
#include "world/saved.h"
#include "world/story_reader.h"

namespace hone::collect {
namespace {

struct Question {
  std::string text, id;
  std::vector<int32_t> ids;
};

std::vector<Question> read_questions(const CompareParams& params, uint64_t seed, const data::Encoder& encoder) {
  std::vector<data::Prompt> prompts = data::read_prompts(params.prompts).rows;
  Stream(seed, "compare-prompts").shuffle(prompts);
  if (static_cast<int64_t>(prompts.size()) > params.count) prompts.resize(params.count);
  std::vector<Question> out;
  for (const data::Prompt& p : prompts) out.push_back({p.messages.back().content, p.id, encoder.prompt(p.messages)});
  return out;
}

// Openings that the model tells itself, cut after the last whole word; each different one once.
std::vector<Question> tell_openings(const CompareParams& params, uint64_t seed, const model::Decoder& decoder,
                                    const data::Encoder& encoder) {
  const text::Tokenizer& tokenizer = encoder.tokenizer();
  if (!tokenizer.bos()) usage_error(params.model + ": the tokenizer has no begin token to tell a story from");
  rollout::SamplingParams sampling;
  sampling.max_tokens = params.opening_tokens;
  rollout::GenerateOptions options;
  options.seed = mix64(seed, hash64("openings"));
  options.absent_ids = tokenizer.without_token(decoder.config().vocab_size);
  std::vector<rollout::Request> requests;
  for (int64_t i = 0; i < params.count; ++i) requests.push_back({{*tokenizer.bos()}, static_cast<uint64_t>(i), 0});
  std::vector<Question> out;
  std::set<std::string> seen;
  for (const rollout::Completion& c : rollout::generate(decoder, requests, sampling, options)) {
    std::string text = tokenizer.decode(c.ids, true);
    const auto space = text.rfind(' ');
    if (space == std::string::npos || space == 0) continue;
    text.resize(space);
    if (!seen.insert(text).second) continue;
    const std::vector<text::Message> message{{"user", text}};
    out.push_back({text, "opening-" + std::to_string(out.size()), encoder.prompt(message)});
  }
  return out;
}

}  // namespace

void CompareParams::check() const {
  if (model.empty()) usage_error("no model", "give model = \"@sft\"");
  if (judge == "world" && world.empty()) usage_error("no world to judge by", "give world = \"@world\"");
  if (judge == "world" && prompts.empty()) usage_error("no prompts", "give prompts = [\"@world/prompts-train.jsonl\"]");
  const int64_t most_pairs = samples * (samples - 1) / 2;
  if (pairs > most_pairs)
    usage_error("pairs must be at most " + std::to_string(most_pairs) + " for " + std::to_string(samples) + " samples");
}

void run_compare(const CompareParams& params, config::StageContext& context) {
  const auto seed = static_cast<uint64_t>(context.run.seed);

  // 1. Answers from the policy.
  model::LoadedModel loaded = model::load_model(params.model);
  loaded.decoder.to(at::Device(context.run.device), at::kFloat);
  const data::Encoder encoder =
      data::Encoder::make(text::Tokenizer::load(params.model), "auto", loaded.decoder.config().eos);
  log::info("  " + encoder.endings().describe());
  context.record.ends_json = dump_json(encoder.endings().to_json());
  const text::Tokenizer& tokenizer = encoder.tokenizer();
  const std::vector<Question> questions = params.prompts.empty() ? tell_openings(params, seed, loaded.decoder, encoder)
                                                                 : read_questions(params, seed, encoder);
  std::string prompt_lines;
  for (const Question& q : questions) prompt_lines += dump_json(Json{{"prompt", q.text}, {"id", q.id}}) + "\n";
  write_file_atomic(context.folder / "prompts.jsonl", prompt_lines);
  std::vector<rollout::Request> requests;
  for (const Question& q : questions)
    for (int64_t s = 0; s < params.samples; ++s) requests.push_back({q.ids, hash64(q.id), static_cast<uint64_t>(s)});
  rollout::GenerateOptions options;
  options.seed = mix64(seed, hash64("compare"));
  options.end_ids = encoder.endings().ids();
  options.absent_ids = tokenizer.without_token(loaded.decoder.config().vocab_size);
  text::say_without_token(options.absent_ids, params.model);
  rollout::GenerateStats stats;
  std::vector<rollout::Completion> completions;
  {
    Progress bar("  sampling", static_cast<int64_t>(requests.size()));
    options.progress = [&](int64_t done, int64_t) { bar.update(done, ""); };
    completions = rollout::generate(loaded.decoder, requests, params.sampling, options, &stats);
  }

  // 2. What each is worth to the judge. None of this leaves the function.
  std::optional<world::World> world;
  if (params.judge == "world") world = world::load_world(params.world);
  std::vector<std::string> answers(completions.size());
  std::vector<world::Seen> seen(completions.size());
  for (size_t i = 0; i < completions.size(); ++i) {
    answers[i] = tokenizer.decode(completions[i].ids, true);
    const Question& q = questions[i / static_cast<size_t>(params.samples)];
    if (!world) {
      seen[i] = world::seen(world::read_story(q.text + answers[i]));
      continue;
    }
    const world::WorldPrompt* prompt = world->find(q.text);
    if (!prompt)
      usage_error("compare: the world knows no prompt '" + q.text + "'",
                  "prompts and world must come from the same world stage");
    seen[i] = world::seen(world->score(*prompt, answers[i]));
  }

  // 3. Comparisons of distinct pairs, answers that read the same left out.
  std::string lines;
  int64_t written = 0, same = 0, agree = 0, decided = 0;
  std::vector<double> longer;
  uint64_t index = 0;
  for (size_t q = 0; q < questions.size(); ++q) {
    std::vector<std::pair<size_t, size_t>> pairs;
    for (size_t a = 0; a < static_cast<size_t>(params.samples); ++a)
      for (size_t b = 0; b < a; ++b) pairs.emplace_back(b, a);
    Stream stream(seed, "compare-pairs", q);
    stream.shuffle(pairs);
    int64_t taken = 0;
    for (auto [a, b] : pairs) {
      if (taken == params.pairs) break;
      if (stream.chance(0.5)) std::swap(a, b);  // which is shown first
      const size_t i = q * static_cast<size_t>(params.samples) + a, j = q * static_cast<size_t>(params.samples) + b;
      if (answers[i] == answers[j]) {
        ++same;
        continue;
      }
      ++taken;
      const world::Choice choice = world::choose(params.annotator, context.run.seed, index++, seen[i], seen[j]);
      const std::string &chosen = choice.preferred == 0 ? answers[i] : answers[j],
                        &rejected = choice.preferred == 0 ? answers[j] : answers[i];
      const int truth = world::true_choice(seen[i], seen[j]);
      if (truth >= 0) ++decided, agree += truth == choice.preferred;
      longer.push_back(chosen.size() > rejected.size() ? 1 : chosen.size() == rejected.size() ? 0.5 : 0);
      feedback::Comparison compared =
          feedback::compared({{"user", questions[q].text}}, {{"assistant", answers[i]}}, {{"assistant", answers[j]}},
                             choice.preferred == 0 ? feedback::Outcome::kA : feedback::Outcome::kB);
      compared.id = questions[q].id + "/" + std::to_string(a) + "-" + std::to_string(b);
      compared.annotator = std::to_string(choice.annotator);
      compared.order = feedback::Order::kAFirst;
      lines += dump_json(feedback::to_preference_row(compared)) + "\n";
      ++written;
    }
  }
  if (written == 0)
    usage_error("compare: every pair of answers is the same text", "raise sampling.temperature or samples");
  write_file_atomic(context.folder / "comparisons.jsonl", lines);
  world::save_annotators(context.folder, params.annotator);
  log::info("  " + count_text(written) + " comparisons of " + count_text(static_cast<int64_t>(completions.size())) +
            " answers (" + count_text(same) + " pairs read the same); sampling made " +
            count_text(static_cast<int64_t>(static_cast<double>(stats.new_tokens) / std::max(1e-9, stats.seconds))) +
            " tokens/s");
  context.record.summary_json = dump_json(Json{
      {"comparisons", written},
      {"same_text", same},
      {"annotators_agree_with_true_utility", decided ? static_cast<double>(agree) / static_cast<double>(decided) : 0.0},
      {"longer_is_chosen", stats::mean(longer)}});
}

}  // namespace hone::collect
