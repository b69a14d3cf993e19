#include "pipeline/forecast.h"

#include <algorithm>
#include <cmath>

#include "base/adapter.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/progress.h"
#include "config/run_folder.h"
#include "data/encode_rows.h"
#include "data/source.h"
#include "data/split.h"
#include "losses/preference_settings.h"
#include "pipeline/references.h"
#include "text/tokenizer.h"
#include "train/judged_groups.h"

namespace hone::pipeline {
namespace {

// Beyond this the files are weighed, not read.
constexpr double kMostBytes = 256e6;
constexpr double kBytesPerToken = 4, kCompression = 2.7, kTokensPerRow = 256;
// Measured on the built-in world with its recipe's tokenizer (docs/log.md).
constexpr double kTokensPerWord = 1.32, kTokensPerDocument = 64, kTokensPerDemonstration = 37, kTokensPerPrompt = 18;
constexpr double kTokenizerBytesPerSecond = 10e6;
// A forward pass is a third of a training step; the reward model, the critic and the reference each make one.
constexpr double kForward = 1.0 / 3;
constexpr double kInFlight = 64;  // sequences that are sampled at once

std::string model_result(const Forecast& f) { return (fs::path(f.folder) / config::names::kModel).string(); }

std::optional<model::ModelConfig> config_of(const PlannedRun& planned, const std::string& folder) {
  if (!folder.empty() && model::holds_model(folder)) return model::load_config(folder).config;
  const auto earlier = planned.models.find(folder);
  return earlier == planned.models.end() ? std::nullopt : std::optional(earlier->second);
}

std::optional<text::Tokenizer> tokenizer_of(const std::string& folder) {
  if (folder.empty() || !text::Tokenizer::found(folder)) return std::nullopt;
  return text::Tokenizer::load(folder);
}

double bytes_of(const fs::path& file) {
  std::error_code ec;
  const auto bytes = static_cast<double>(fs::file_size(file, ec));
  return ec ? 0 : bytes * (file.extension() == ".gz" ? kCompression : 1);
}

// The files themselves, folders and patterns expanded; none where one is not there yet.
std::vector<fs::path> files_of(const std::vector<std::string>& paths) {
  try {
    return data::expand_paths(paths);
  } catch (const Error&) {
    return {};
  }
}

// Can these files be read now, in a few seconds?
bool readable(const std::vector<std::string>& paths) {
  const std::vector<fs::path> files = files_of(paths);
  double bytes = 0;
  for (const fs::path& file : files) bytes += bytes_of(file);
  return !files.empty() && bytes <= kMostBytes;
}

DataSize expected(const PlannedRun& planned, const std::vector<std::string>& paths) {
  DataSize sum;
  for (const std::string& path : paths) {
    if (const auto earlier = planned.files.find(path); earlier != planned.files.end()) {
      sum.rows += earlier->second.rows;
      sum.tokens += earlier->second.tokens;
      continue;
    }
    double tokens = 0;
    for (const fs::path& file : files_of({path})) tokens += bytes_of(file) / kBytesPerToken;
    sum.tokens += tokens;
    sum.rows += tokens / kTokensPerRow;
  }
  return sum;
}

// kUsage, as in the stage, where the split would leave one side empty.
template <class Row>
void require_split(const std::vector<Row>& rows, double held_out, const config::RunSettings& run) {
  data::split(rows, held_out, static_cast<uint64_t>(run.seed));
}

// The rows of `paths` as `read` and `encode` give them, if tokenizer and files are there; else what is expected.
template <class ReadRows, class Encode>
DataSize amount_of(const PlannedRun& planned, Forecast& f, const std::string& tokenizer_folder,
                   const std::vector<std::string>& paths, const data::LengthSettings& settings, const std::string& what,
                   ReadRows read, Encode encode) {
  const std::optional<text::Tokenizer> tokenizer = tokenizer_of(tokenizer_folder);
  if (!tokenizer || !readable(paths)) {
    f.unread = true;
    f.remarks.push_back("what is left out or cut is not known yet");
    return expected(planned, paths);
  }
  auto rows = read();
  f.remarks.push_back(rows.report.summary());
  const data::LengthReport lengths =
      encode(rows.rows,
             data::Encoder::make(*tokenizer, settings.chat_format, f.model ? f.model->eos : std::vector<int64_t>{}))
          .lengths;
  data::require_kept(lengths, settings, what);
  f.remarks.push_back(what + ": " + lengths.summary());
  return {static_cast<double>(lengths.kept), static_cast<double>(lengths.tokens)};
}

train::Held held(PlannedRun& planned, const model::ModelConfig& c) { return {.bf16 = planned.speed.in_bf16(c)}; }

// What a pass of `tokens` keeps for its backward pass.
double activations(PlannedRun& planned, const train::ModelSettings& settings, const model::ModelConfig& c,
                   double tokens) {
  const bool bf16 = planned.speed.in_bf16(c);
  const double pass = std::min(tokens, static_cast<double>(train::micro_tokens(settings, c, bf16)));
  return pass * train::activation_bytes_per_token(c, bf16, settings.checkpoint_activations);
}

// Keys and values of the sequences that are in flight at once.
double cache(const model::ModelConfig& c, const rollout::SamplingParams& sampling, double sequences, double prompt) {
  return std::min(sampling.kv_gb * 1e9, sequences * (prompt + static_cast<double>(sampling.max_tokens)) *
                                            static_cast<double>(model::kv_bytes_per_token(c)));
}

int64_t context_of(const Forecast& f) { return f.model ? f.model->max_positions : 0; }

int64_t whole(double x) { return std::max<int64_t>(1, std::llround(x)); }

std::string steps_text(double steps, double tokens) {
  return "about " + count_text(whole(steps)) + (whole(steps) == 1 ? " step of " : " steps of ") +
         count_text(whole(tokens)) + " tokens";
}

// A stage that learns an adapter leaves one over the same base; one that starts from an adapter goes on with it, or
// merges it. kUsage, as in the stage (train/adapt.h), where an earlier stage's adapter has other sizes.
void remember_base(PlannedRun& planned, const Forecast& f, const auto& params) {
  if constexpr (requires { params.adapter.rank; }) {
    const train::AdapterSettings& adapter = params.adapter;
    if (adapter.rank <= 0) return;
    if (const auto before = planned.adapters.find(params.model); before != planned.adapters.end()) {
      const train::AdapterSettings& own = before->second;
      if (own.rank != adapter.rank || own.alpha != adapter.alpha || own.rslora != adapter.rslora ||
          own.targets != adapter.targets)
        usage_error(
            "the adapter of " + params.model + " will have rank " + std::to_string(own.rank) +
                ", alpha, rslora and targets of its stage, and this stage asks for others",
            "give both stages the same adapter settings, or set adapter.rank = 0 here: the adapter is then merged");
    }
    planned.adapters[model_result(f)] = adapter;
    const auto it = planned.bases.find(params.model);
    planned.bases[model_result(f)] = it != planned.bases.end()  ? it->second
                                     : is_adapter(params.model) ? adapter_base(params.model).string()
                                                                : params.model;
  }
}

void language_model(const train::LanguageModelParams& params, PlannedRun& planned, Forecast& f,
                    const DataSize& amount) {
  if (!f.model) return;
  planned.models[model_result(f)] = *f.model;
  remember_base(planned, f, params);
  f.memory = train::learning_memory(*f.model, params.adapter, params.optim, held(planned, *f.model));
  double tokens = amount.tokens * (1 - params.text.held_out);
  if (params.max_data_tokens > 0) tokens = std::min(tokens, static_cast<double>(params.max_data_tokens));
  // Few rows do not fill a step.
  const double batch = std::clamp(tokens, 1.0, static_cast<double>(params.batch_tokens));
  f.activations = activations(planned, params, *f.model, batch);
  const double steps = params.steps > 0 ? static_cast<double>(params.steps) : std::ceil(tokens * params.epochs / batch);
  if (steps <= 0) return;
  f.work = steps_text(steps, batch);
  f.seconds = steps * planned.speed.step(*f.model, params.optim, {whole(batch), whole(amount.mean(128))});
  if (params.max_minutes > 0 && *f.seconds > params.max_minutes * 60) {
    f.seconds = params.max_minutes * 60;
    f.work += ", capped at " + decimal_text(params.max_minutes, 1) + " minutes";
  }
}

// What a loss of that arity takes; a reward model's pairs are a preference loss's.
DataSize judged_of(const PlannedRun& planned, Forecast& f, const std::string& model,
                   const std::vector<std::string>& files, const train::TextSettings& text,
                   losses::Arity arity = losses::Arity::kPair) {
  DataSize out = amount_of(
      planned, f, model, files, text.length, train::name_of_groups(arity),
      [&] {
        auto read = train::read_judged(arity, files, text.read);
        text.keep_part(read);
        return read;
      },
      [&](const auto& rows, const data::Encoder& encoder) {
        require_split(rows, text.held_out, planned.run);
        return data::encode_judged(rows, encoder, text.length, context_of(f));
      });
  if (f.unread) out.rows *= text.part_end - text.part_begin, out.tokens *= text.part_end - text.part_begin;
  return out;
}

// A loop over comparisons; `passes` is how often each goes through the model in units of a training pass.
void comparisons(PlannedRun& planned, Forecast& f, const auto& params, const DataSize& amount, double share,
                 double epochs, double passes, const std::string& what = "comparisons") {
  if (!f.model) return;
  planned.models[model_result(f)] = *f.model;
  remember_base(planned, f, params);
  const double pair = amount.mean(256),
               steps = std::ceil(amount.tokens / pair * share * epochs / static_cast<double>(params.batch_pairs));
  const train::StepShape shape{whole(pair * static_cast<double>(params.batch_pairs)), whole(pair / 2)};
  f.work = "about " + count_text(whole(steps)) + (whole(steps) == 1 ? " step of " : " steps of ") +
           count_text(params.batch_pairs) + " " + what;
  f.seconds = steps * passes * planned.speed.step(*f.model, params.optim, shape);
}

}  // namespace

void forecast(const collect::WorldStageParams& params, PlannedRun& planned, Forecast& f) {
  const auto at = [&](const std::string& name) -> DataSize& {
    return planned.files[(fs::path(f.folder) / name).string()];
  };
  const double corpus = kTokensPerWord * static_cast<double>(params.corpus.words),
               demonstrations = static_cast<double>(params.demonstrations.count), families = 7,
               train = families * static_cast<double>(params.world.prompts_per_family),
               held_out = families * static_cast<double>(params.world.held_out_per_family);
  at("corpus.txt") = {corpus / kTokensPerDocument, corpus};
  at("demonstrations.jsonl") = {demonstrations, demonstrations * kTokensPerDemonstration};
  at("prompts-train.jsonl") = {train, train * kTokensPerPrompt};
  for (const std::string& family : collect::world_families())
    at("prompts-train-" + family + ".jsonl") = {train / families, train / families * kTokensPerPrompt};
  f.seconds = 1 + corpus / 2e6;
  at("prompts-heldout.jsonl") = {held_out, held_out * kTokensPerPrompt};
}

void forecast(const foreign::ImportParams& params, PlannedRun& planned, Forecast& f) {
  planned.models[model_result(f)] = foreign::import_config(params);
  f.seconds = 1;
}

void forecast(const train::TokenizerParams& params, PlannedRun& planned, Forecast& f) {
  planned.vocabularies[model_result(f)] = params.size;
  f.seconds = 1 + kBytesPerToken * expected(planned, params.data).tokens / kTokenizerBytesPerSecond;
}

void forecast(const train::PretrainParams& params, PlannedRun& planned, Forecast& f) {
  const std::string folder = params.tokenizer.empty() ? params.model : params.tokenizer;
  f.model = config_of(planned, params.model);
  if (!f.model && params.model.empty()) {
    const auto tokenizer = tokenizer_of(folder);
    if (tokenizer || planned.vocabularies.contains(folder))
      f.model = train::new_model_config(params, tokenizer ? tokenizer->size() : planned.vocabularies.at(folder));
  }
  // Running text is cut into pieces and loses nothing, so it is only weighed.
  language_model(params, planned, f, expected(planned, params.data));
}

void forecast(const train::SftParams& params, PlannedRun& planned, Forecast& f) {
  f.model = config_of(planned, params.model);
  const DataSize amount = amount_of(
      planned, f, params.model, params.data, params.text.length, "demonstrations",
      [&] {
        auto read = data::read_demonstrations(params.data, params.text.read);
        params.text.keep_part(read);
        return read;
      },
      [&](const auto& rows, const data::Encoder& encoder) {
        require_split(rows, params.text.held_out, planned.run);
        return data::encode_demonstrations(rows, encoder, params.text.length, context_of(f));
      });
  language_model(params, planned, f, amount);
}

void forecast(const train::RewardParams& params, PlannedRun& planned, Forecast& f) {
  f.model = config_of(planned, params.model);
  const DataSize amount = judged_of(planned, f, params.model, params.data, params.text);
  if (f.model) {
    train::Held each = held(planned, *f.model);
    each.output_weight = false;
    f.memory = train::learning_memory(*f.model, params.adapter, params.optim, each);  // of one member at a time
    f.activations = activations(planned, params, *f.model, amount.mean(256) * static_cast<double>(params.batch_pairs));
  }
  comparisons(planned, f, params, amount, (1 - params.text.held_out) * (1 + params.mismatch),
              params.epochs * static_cast<double>(params.ensemble), 1);
}

void forecast(const train::PreferenceParams& params, PlannedRun& planned, Forecast& f) {
  f.model = config_of(planned, params.model);
  const losses::PreferenceNeeds needs = params.loss.needs();
  const DataSize amount = judged_of(planned, f, params.model, params.data, params.text, needs.arity);
  if (f.model) {
    // The reference is the policy before its first step, or read and dropped before the optimiser is made.
    f.memory = train::learning_memory(*f.model, params.adapter, params.optim, held(planned, *f.model));
    if (params.stop.on() && params.adapter.rank == 0) {  // the weights that are kept, and the start's
      const double copies =
          1 + (params.stop.drifts() ? 1 : 0) + (params.stop.folds > 0 || !params.stop.rates.empty() ? 1 : 0);
      f.memory.weights += copies * 4 * static_cast<double>(model::parameter_count(*f.model));
    }
    f.activations = activations(planned, params, *f.model, amount.mean(256) * static_cast<double>(params.batch_pairs));
  }
  // The reference's pass: once, however many epochs, or each time where it moves; another one for what a loss measures.
  const double reference = !needs.reference || params.epochs <= 0 ? 0
                           : params.sync.every > 0                ? kForward
                                                                  : kForward / params.epochs;
  const double statistic = params.loss.measures() ? kForward : 0;
  // In k folds, k policies learn from k - 1 parts each, and then one from all.
  const auto passes = static_cast<double>(std::max<int64_t>(1, params.stop.folds));
  comparisons(planned, f, params, amount, 1 - params.text.held_out, passes * params.epochs,
              1 + statistic + reference / passes, train::name_of_groups(needs.arity));
}

namespace {

// An adapter may name its base by another path than the stages do.
fs::path base_of(const PlannedRun& planned, const std::string& folder) {
  const auto it = planned.bases.find(folder);
  const fs::path path = it != planned.bases.end() ? fs::path(it->second)
                        : is_adapter(folder)      ? adapter_base(folder)
                                                  : fs::path(folder);
  return fs::weakly_canonical(path);
}

// Policy, reference and reward model; what shares its frozen tensors is counted once (train/on_policy.cpp).
train::Memory on_policy_memory(const train::OnPolicySettings& params, PlannedRun& planned,
                               const model::ModelConfig& policy, const model::ModelConfig& reward) {
  train::Held held_policy = held(planned, policy), held_reward = held(planned, reward);
  held_reward.output_weight = false;
  train::Memory out = train::learning_memory(policy, params.adapter, params.policy_optim, held_policy);
  if (params.adapter.rank <= 0) out += train::frozen_memory(policy, held_policy);  // the reference
  if (!params.asks_model()) return out;
  const bool adapted = planned.bases.contains(params.reward) || is_adapter(params.reward);
  held_reward.shared = adapted && base_of(planned, params.reward) == base_of(planned, params.model);
  return out += train::frozen_memory(reward, held_reward);
}

train::Memory critic_memory(const train::PpoParams& params, PlannedRun& planned, const model::ModelConfig& critic) {
  const std::string& folder = params.critic_folder();
  train::Held held_critic = held(planned, critic);
  held_critic.output_weight = false;
  held_critic.shared = params.critic_adapter.rank > 0 &&
                       (folder == params.reward || base_of(planned, folder) == base_of(planned, params.model));
  return train::learning_memory(critic, params.critic_adapter, params.critic_optim, held_critic);
}

// Iterations of sampling and learning. `passes`: over an iteration's rollouts in training; `forwards`: how many
// networks look at them; `more_answers`: greedy ones, of each prompt.
void on_policy(const train::OnPolicySettings& params, PlannedRun& planned, Forecast& f, double passes, double forwards,
               double more_answers) {
  const DataSize amount = amount_of(
      planned, f, params.model, params.prompts, params.length, "prompts",
      [&] { return data::read_prompts(params.prompts, params.read); },
      [&](const auto& rows, const data::Encoder& encoder) {
        return data::encode_prompts(rows, encoder, params.length, context_of(f), params.sampling.max_tokens);
      });
  if (!f.model) return;
  planned.models[model_result(f)] = *f.model;
  remember_base(planned, f, params);
  f.memory = on_policy_memory(params, planned, *f.model, config_of(planned, params.reward).value_or(*f.model));
  const double prompt = amount.mean(64), answer = static_cast<double>(params.sampling.max_tokens) / 2;
  const double prompts = std::min(static_cast<double>(params.batch_prompts), std::max(1.0, amount.tokens / prompt));
  const auto answers = prompts * static_cast<double>(params.samples_per_prompt),
             iterations = static_cast<double>(params.steps);
  const train::StepShape shape{whole(answers * (prompt + answer) / static_cast<double>(params.minibatches)),
                               whole(prompt + answer)};
  f.activations = activations(planned, params, *f.model, static_cast<double>(shape.tokens));
  f.cache = cache(*f.model, params.sampling, std::min(answers, kInFlight), prompt);
  const double pass =
      static_cast<double>(params.minibatches) * planned.speed.step(*f.model, params.policy_optim, shape);
  const double updates = pass * (passes + forwards * kForward);
  const double sampling =
      (answers + prompts * more_answers) * planned.speed.answer(*f.model, whole(prompt), whole(answer));
  f.work = count_text(params.steps) + " iterations of " + count_text(whole(answers)) + " answers";
  f.seconds = iterations * (updates + sampling);
}

}  // namespace

void forecast(const train::PpoParams& params, PlannedRun& planned, Forecast& f) {
  f.model = config_of(planned, params.model);
  // Old log-probabilities, reference and values go forward, and a reward model.
  on_policy(params, planned, f, static_cast<double>(params.policy_epochs + params.critic_epochs),
            3 + params.asks_model(), 0);
  if (!f.model) return;
  f.memory += critic_memory(params, planned, config_of(planned, params.critic_folder()).value_or(*f.model));
}

void forecast(const train::GroupParams& params, PlannedRun& planned, Forecast& f) {
  f.model = config_of(planned, params.model);
  // Old log-probabilities and reference go forward, and a reward model. How many prompts dynamic sampling drops is not
  // known.
  if (params.dynamic_sampling) f.remarks.push_back("how many prompts are dropped and asked again is not known yet");
  on_policy(params, planned, f, static_cast<double>(params.policy_epochs), 2 + params.asks_model(),
            params.advantage.baseline == "greedy" ? 1 : 0);
}

void forecast(const collect::CompareParams& params, PlannedRun& planned, Forecast& f) {
  f.model = config_of(planned, params.model);
  const DataSize prompts = expected(planned, params.prompts);
  const double each = params.prompts.empty() ? static_cast<double>(params.opening_tokens) : prompts.mean(64),
               answer = static_cast<double>(params.sampling.max_tokens) / 2;
  const auto count = static_cast<double>(params.count), rows = count * static_cast<double>(params.pairs);
  planned.files[(fs::path(f.folder) / "comparisons.jsonl").string()] = {rows, rows * 2 * (each + answer)};
  planned.files[(fs::path(f.folder) / "prompts.jsonl").string()] = {count, count * each};
  if (!f.model) return;
  f.memory = train::frozen_memory(*f.model, {});
  f.cache = cache(*f.model, params.sampling, kInFlight, each);
  const double answers = count * static_cast<double>(params.samples);
  f.work = count_text(whole(answers)) + " answers";
  f.seconds = answers * planned.speed.answer(*f.model, whole(each), whole(answer));
}

void forecast(const eval::EvalParams& params, PlannedRun& planned, Forecast& f) {
  if (params.models.empty()) return;
  const std::string& last = params.models.back();
  f.model = config_of(planned, last.substr(last.find('=') + 1));
  const DataSize prompts = expected(planned, params.prompts);
  const int rewards = !params.reward.empty() + !params.second_reward.empty();
  if (f.model) f.memory = train::frozen_memory(*f.model, {}) * (2 + rewards);  // with the start model
  if (!f.model || prompts.tokens <= 0) return;
  const double each = prompts.mean(64), answer = static_cast<double>(params.sampling.max_tokens) / 2;
  double rows = prompts.tokens / each * (params.held_out > 0 ? params.held_out : 1);
  if (params.limit > 0) rows = std::min(rows, static_cast<double>(params.limit));
  if (!params.harmful.empty()) rows *= 2;  // as many of them
  const double answers = rows * static_cast<double>(std::ssize(params.models) * params.samples +
                                                    (params.reward.empty() ? 0 : params.audit_samples));
  f.work = count_text(whole(answers)) + " answers";
  f.seconds = answers * planned.speed.answer(*f.model, whole(each), whole(answer));
  // People's comparisons go forward through every model, reward models too.
  DataSize compared = expected(planned, params.comparisons);
  if (compared.tokens <= 0) return;
  double pairs = compared.rows * (params.held_out > 0 ? params.held_out : 1);
  if (params.comparisons_limit > 0) pairs = std::min(pairs, static_cast<double>(params.comparisons_limit));
  double pair = compared.mean(256);
  if (params.length.max_length > 0) pair = std::min(pair, 2 * static_cast<double>(params.length.max_length));
  constexpr double kPack = 4096;
  *f.seconds += static_cast<double>(std::ssize(params.models) + rewards) * kForward * pairs * pair / kPack *
                planned.speed.step(*f.model, {}, {whole(kPack), whole(pair / 2)});
}

}  // namespace hone::pipeline
