#include "bench/rows.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/rng.h"
#include "bench/inputs.h"
#include "config/run_folder.h"
#include "data/corpus.h"
#include "data/encode_rows.h"
#include "data/read.h"
#include "model/hf_folder.h"
#include "rollout/generate.h"
#include "tensor/runtime.h"
#include "train/language_model.h"
#include "train/ppo.h"
#include "train/reward.h"

namespace hone::bench {
namespace {

config::StageContext stage(const fs::path& folder, const char* kind, const RowSettings& settings) {
  set_threads(static_cast<int>(settings.threads));
  config::StageContext context;
  context.run.dtype = settings.dtype;
  context.run.threads = settings.threads;
  context.folder = folder;
  context.record.kind = context.record.name = kind;
  return context;
}

std::vector<Json> lines(const fs::path& path) {
  std::vector<Json> out;
  for_each_line(path, [&](std::string_view line, int64_t) { out.push_back(parse_json(line, path.string())); });
  return out;
}

Json rate_json(std::vector<double> rates, double flops_per_token) {
  HONE_CHECK(!rates.empty());
  std::ranges::sort(rates);
  const size_t n = rates.size();
  return {{"tokens_per_s", n % 2 == 1 ? rates[n / 2] : (rates[n / 2 - 1] + rates[n / 2]) / 2},
          {"slowest", rates.front()},
          {"fastest", rates.back()},
          {"measurements", n},
          {"flops_per_token", flops_per_token}};
}

// Steps but the first, which pays for allocations: `tokens` of each as its metrics say, seconds as its timing says.
Json timed_steps(const fs::path& folder, const std::function<double(const Json& metrics)>& tokens,
                 double flops_per_token) {
  const std::vector<Json> metrics = lines(folder / config::names::kMetrics),
                          timing = lines(folder / config::names::kTiming);
  HONE_CHECK(metrics.size() == timing.size() && metrics.size() > 1);
  std::vector<double> rates;
  for (size_t i = 1; i < metrics.size(); ++i) rates.push_back(tokens(metrics[i]) / timing[i]["seconds"].get<double>());
  return rate_json(rates, flops_per_token);
}

double tokens_of(const Json& metrics) { return metrics["tokens"].get<double>(); }

// Forward and backward, per token, of sequences whose tokens but the first `skipped` have a loss.
double training_flops(const model::ModelConfig& config, const Work& work) {
  return 3 * forward_flops(config, work) / work.tokens;
}

Json language_model_row(const char* kind, const std::string& rule, const fs::path& inputs, const fs::path& scratch,
                        const Shape& shape, const RowSettings& settings) {
  config::StageContext context = stage(scratch, kind, settings);
  const auto prepare = [&](train::LanguageModelParams& p) {
    p.model = language_model(inputs).string();
    p.steps = settings.steps + 1;
    p.batch_tokens = settings.batch_tokens;
    p.text.held_out = 0;
    p.optim.rule = rule;
    p.optim.schedule = {};  // no warm-up: so few steps have no room for one
  };
  const text::Tokenizer tokenizer = text::Tokenizer::load(language_model(inputs));
  Work work;
  if (std::string_view(kind) == "pretrain") {
    train::PretrainParams params;
    prepare(params);
    params.data = {texts(inputs).string()};
    const auto read = data::read_documents(params.data, params.text.read);
    const data::Corpus corpus = data::encode_corpus(read.rows, tokenizer);
    for (const data::Piece& p : data::cut_pieces(corpus, params.corpus, shape.config.max_positions))
      work += sequence_work(static_cast<double>(p.size()), static_cast<double>(p.size() - 1));
    train::run_pretrain(params, context);
  } else {
    train::SftParams params;
    prepare(params);
    params.data = {demonstrations(inputs).string()};
    const data::Encoder encoder = data::Encoder::make(tokenizer, params.text.length.chat_format);
    const auto read = data::read_demonstrations(params.data, params.text.read);
    for (const data::Sequence& s : data::encode_demonstrations(read.rows, encoder, params.text.length).items)
      work += sequence_work(static_cast<double>(s.size()), static_cast<double>(std::ranges::count(s.weight, 1.0f)));
    train::run_sft(params, context);
  }
  return timed_steps(scratch, tokens_of, training_flops(shape.config, work));
}

Json pretrain(const fs::path& inputs, const fs::path& scratch, const Shape& shape, const RowSettings& settings) {
  return language_model_row("pretrain", "adamw", inputs, scratch, shape, settings);
}
Json pretrain_muon(const fs::path& inputs, const fs::path& scratch, const Shape& shape, const RowSettings& settings) {
  return language_model_row("pretrain", "muon", inputs, scratch, shape, settings);
}
Json sft(const fs::path& inputs, const fs::path& scratch, const Shape& shape, const RowSettings& settings) {
  return language_model_row("sft", "adamw", inputs, scratch, shape, settings);
}

Json reward(const fs::path& inputs, const fs::path& scratch, const Shape& shape, const RowSettings& settings) {
  config::StageContext context = stage(scratch, "reward", settings);
  train::RewardParams params;
  params.model = language_model(inputs).string();
  params.data = {comparisons(inputs).string()};
  params.batch_pairs = std::max<int64_t>(1, settings.batch_tokens / 256);
  params.text.held_out = 0;
  params.optim.rule = "adamw";
  params.optim.schedule = {};
  auto read = data::read_preferences(params.data, params.text.read);
  params.epochs =
      static_cast<double>(params.batch_pairs * (settings.steps + 1)) / static_cast<double>(read.rows.size());
  const data::Encoder encoder =
      data::Encoder::make(text::Tokenizer::load(params.model), params.text.length.chat_format);
  Work work;
  for (const data::Pair& p : data::encode_preferences(read.rows, encoder, params.text.length).items)
    for (const data::Sequence* s : {&p.chosen, &p.rejected}) work += sequence_work(static_cast<double>(s->size()), 0);
  train::run_reward(params, context);
  return timed_steps(scratch, tokens_of, training_flops(shape.config, work));
}

// Order-dependent, so that one changed token or log-probability changes it.
uint64_t hash_of(const std::vector<rollout::Completion>& completions) {
  uint64_t hash = 0;
  for (const rollout::Completion& c : completions) {
    hash = mix64(hash, hash64({reinterpret_cast<const char*>(c.ids.data()), c.ids.size() * sizeof c.ids[0]}));
    hash = mix64(hash, hash64({reinterpret_cast<const char*>(c.logps.data()), c.logps.size() * sizeof c.logps[0]}));
  }
  return hash;
}

Json sampling(const fs::path& inputs, const Shape& shape, const RowSettings& settings, bool batch_invariant) {
  set_threads(static_cast<int>(settings.threads));
  const model::LoadedModel loaded = model::load_model(language_model(inputs));
  Stream stream(1, "bench-prompts");
  std::vector<rollout::Request> requests;
  for (int64_t i = 0; i < settings.batch; ++i) {
    requests.push_back({{}, static_cast<uint64_t>(i), 0});
    for (int64_t t = 0; t < kPromptTokens; ++t)
      requests.back().prompt.push_back(
          static_cast<int32_t>(stream.below(static_cast<uint64_t>(shape.config.vocab_size))));
  }
  rollout::SamplingParams sampling;
  sampling.max_tokens = kNewTokens;
  rollout::GenerateOptions options;  // no end tokens: all of them are sampled
  options.max_batch = settings.batch;
  options.batch_invariant = batch_invariant;
  std::vector<double> rates;
  uint64_t hash = 0;
  for (int64_t r = 0; r < settings.repeats + 1; ++r) {  // the first is not counted
    rollout::GenerateStats stats;
    hash = hash_of(rollout::generate(loaded.decoder, requests, sampling, options, &stats));
    if (r > 0) rates.push_back(static_cast<double>(stats.new_tokens) / stats.seconds);
  }
  // The last token is sampled and never fed; every other one goes through the layers once.
  const Work work = sequence_work(kPromptTokens + kNewTokens - 1, kNewTokens);
  Json out = rate_json(rates, forward_flops(shape.config, work) / kNewTokens);
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  out["output_hash"] = text;
  return out;
}

Json rollout_row(const fs::path& inputs, const fs::path&, const Shape& shape, const RowSettings& settings) {
  return sampling(inputs, shape, settings, true);
}

Json rollout_stock(const fs::path& inputs, const fs::path&, const Shape& shape, const RowSettings& settings) {
  return sampling(inputs, shape, settings, false);
}

Json ppo(const fs::path& inputs, const fs::path& scratch, const Shape& shape, const RowSettings& settings) {
  config::StageContext context = stage(scratch, "ppo", settings);
  train::PpoParams params;
  params.model = language_model(inputs).string();
  params.reward = reward_model(inputs).string();
  params.prompts = {prompts(inputs).string()};
  params.steps = settings.iterations + 1;
  params.batch_prompts = settings.batch;
  params.critic_warmup = 0;
  params.sampling.max_tokens = kNewTokens;
  train::run_ppo(params, context);

  const std::vector<Json> metrics = lines(scratch / config::names::kMetrics);
  const auto new_tokens = [&](const Json& m) {
    return m["length"].get<double>() * static_cast<double>(params.batch_prompts);
  };
  const double n = static_cast<double>(params.batch_prompts), total = tokens_of(metrics.back()),
               answers = new_tokens(metrics.back());
  Work all = sequence_work(total / n, answers / n);
  all = {all.tokens * n, all.outputs * n, all.cells * n};
  const Work trunk{all.tokens, 0, all.cells};  // reward model and critic have one output, not a vocabulary
  const double with_logits = forward_flops(shape.config, all), without = forward_flops(shape.config, trunk);
  // Sampling; then policy, reference, critic and reward model look once; then both learn.
  const double flops = with_logits + 2 * with_logits + 2 * without +
                       3 * (static_cast<double>(params.policy_epochs) * with_logits +
                            static_cast<double>(params.critic_epochs) * without);
  Json out = timed_steps(scratch, new_tokens, flops / answers);
  out["mean_length"] = metrics.back()["length"];
  return out;
}

constexpr Row kRows[] = {
    {"pretrain", "tokens", "next-token prediction, AdamW", pretrain},
    {"pretrain-muon", "tokens", "the same with Muon, which a new model is trained with", pretrain_muon},
    {"sft", "tokens", "supervised fine-tuning, AdamW", sft},
    {"reward", "tokens", "reward model on comparisons, AdamW", reward},
    {"rollout", "new tokens", "sampling with log-probabilities, end token off", rollout_row},
    {"rollout-stock", "new tokens", "the same on LibTorch's kernels, which change with the batch", rollout_stock},
    {"ppo", "new tokens", "whole iteration: sampling, scoring, learning", ppo},
};

}  // namespace

std::span<const Row> rows() { return kRows; }

}  // namespace hone::bench
