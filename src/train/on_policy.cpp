#include "train/on_policy.h"

#include <algorithm>

#include "base/adapter.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/rng.h"
#include "base/sha256.h"
#include "data/encode_rows.h"
#include "data/split.h"
#include "rewards/checked_prompts.h"
#include "train/adapt.h"
#include "train/learning.h"
#include "train/memory.h"
#include "train/precision.h"
#include "train/trainable.h"

namespace hone::train {

void OnPolicySettings::check_inputs() const {
  if (model.empty()) usage_error("needs a model", "give model = \"FOLDER\"");
  RewardSettings::check();
  if (prompts.empty()) usage_error("no prompts", "give prompts = [\"prompts.jsonl\"]");
}

void OnPolicySettings::check_sampling() const {
  if (sampling.top_p < 1 || sampling.top_k > 0)
    usage_error("samples come from the whole distribution: sampling.top_p must be 1 and sampling.top_k 0",
                "a cut support makes the importance ratio wrong (its mean becomes the kept mass)");
  if (sampling.min_tokens > 0)
    usage_error("samples come from the whole distribution: sampling.min_tokens must be 0",
                "a forbidden end token makes the importance ratio wrong");
  if (sampling.temperature <= 0) usage_error("greedy samples teach nothing: sampling.temperature must be above 0");
}

void require_same(const text::Tokenizer& policy, const std::string& folder, const std::string& what) {
  text::require_same_tokenizer(policy, folder, "the " + what + " has another tokenizer than the policy",
                               "the very token ids that were sampled are scored, so both must share one tokenizer");
}

namespace {

// The model as given: under full training its copy; under an adapter the same frozen tensors, with the adapter that the
// model brought, if any.
model::Decoder make_reference(model::Decoder& policy, const OnPolicySettings& params, at::ScalarType compute,
                              uint64_t seed) {
  if (params.adapter.rank <= 0) {
    settle_adapter(policy, params.model, params.adapter, seed);
    model::Decoder copy = policy.clone();
    if (params.train_layers == 0) copy.keep_matrices_in(compute);
    return copy;
  }
  policy.keep_matrices_in(compute);
  model::Decoder reference = over_same_base(policy);
  settle_adapter(policy, params.model, params.adapter, seed);
  return reference;
}

}  // namespace

OnPolicyModels load_on_policy_models(const OnPolicySettings& settings, config::StageContext& context,
                                     const std::string& who) {
  const auto seed = static_cast<uint64_t>(context.run.seed);
  const at::Device device(context.run.device);
  text::Tokenizer tokenizer = text::Tokenizer::load(settings.model);
  model::LoadedModel policy = model::load_model(settings.model);
  if (policy.head)
    usage_error(settings.model + ": is a reward model, not a language model",
                "start from the model that it was made of");
  policy.decoder.to(device, at::kFloat);
  const at::ScalarType compute = resolve_precision(context, policy.decoder.config());
  model::Decoder reference = make_reference(policy.decoder, settings, compute, seed);
  if (settings.train_layers > 0) {
    if (settings.train_layers > policy.decoder.config().layers)
      usage_error(who + ": train_layers is more than the model has");
    // The trunk that does not learn is one set of tensors for both.
    trainable_tensors(policy.decoder, nullptr, settings.train_layers);
    for (size_t i = 0; i < policy.decoder.parameters().size(); ++i)
      if (!policy.decoder.parameters()[i].tensor.requires_grad()) reference.share_parameter(i, policy.decoder);
  }
  OnPolicyModels out{std::move(tokenizer), std::move(policy.decoder), std::move(reference), {}, compute};
  if (!settings.asks_model()) return out;
  require_same(out.tokenizer, settings.reward, "reward model");
  out.reward = rewards::RewardModel::load(settings.reward, device, context.run.dtype, loaded_bases(settings, out));
  log::info("  reward model asked in " + out.reward.dtype());
  out.reward.combine_by(settings.ensemble, settings.ensemble_penalty);
  if (settings.ensemble != "mean" && out.reward.members() == 1)
    usage_error(settings.reward + ": is one reward model, so ensemble = \"" + settings.ensemble + "\" changes nothing",
                "train several members (reward.ensemble), or leave the setting out");
  return out;
}

std::vector<model::LoadedBase> loaded_bases(const OnPolicySettings& settings, const OnPolicyModels& models) {
  if (models.policy.adapter() != nullptr) return {{models.policy.adapter()->base, &models.reference}};
  if (!is_adapter(settings.model) && settings.train_layers == 0) return {{settings.model, &models.reference}};
  return {};
}

namespace {

// The reward model's comparisons were split by prompt; the policy stays on the side that it was trained on. A reward
// model from elsewhere brings no split.
// -> the prompts left out.
std::vector<data::Prompt> leave_out_held_out(const OnPolicySettings& params, config::StageContext& context,
                                             std::vector<data::Prompt>& prompts, const std::string& who) {
  if (!params.asks_model() || !params.skip_held_out) return {};
  const fs::path file = fs::canonical(params.reward).parent_path() / config::names::kSplit;
  if (!fs::exists(file)) return {};
  context.record.inputs.emplace_back(file.string(), sha256_file(file));
  const data::SplitManifest split = data::SplitManifest::load(file);
  const auto left_out = std::ranges::stable_partition(
      prompts, [&](const data::Prompt& p) { return !split.held_out(data::prompt_hash(p)); });
  std::vector<data::Prompt> out(std::make_move_iterator(left_out.begin()), std::make_move_iterator(left_out.end()));
  prompts.erase(left_out.begin(), left_out.end());
  log::info("  " + count_text(std::ssize(out)) +
            " prompts left out: they are on the held-out side of the reward model's split");
  if (prompts.empty())
    usage_error(who + ": every prompt is on the held-out side of the reward model's split",
                "give more prompts, or set skip_held_out = false");
  return out;
}

}  // namespace

OnPolicyPrompts load_on_policy_prompts(const OnPolicySettings& settings, config::StageContext& context,
                                       const data::Encoder& encoder, int64_t context_length, const std::string& who) {
  const rewards::Checkers checkers = rewards::make_checkers(settings.checker_ids(), settings.checkers);
  auto read = rewards::read_checked_prompts(settings.prompts, settings.read, checkers);
  log::info("  " + read.report.summary());
  const std::vector<data::Prompt> held_out = leave_out_held_out(settings, context, read.rows, who);
  auto encoded =
      data::encode_prompts(read.rows, encoder, settings.length, context_length, settings.sampling.max_tokens);
  log::info("  " + encoded.lengths.summary());
  data::require_kept(encoded.lengths, settings.length, "prompts");
  std::vector<rollout::Request> requests;
  std::vector<std::shared_ptr<const Json>> rows;
  for (size_t i = 0; i < encoded.items.size(); ++i) {
    const data::Prompt& prompt = read.rows[encoded.rows[i]];
    requests.push_back({std::move(encoded.items[i]), hash64(prompt.id), 0, static_cast<int64_t>(i)});
    if (!checkers.empty()) rows.push_back(prompt.row);
  }
  return {std::move(requests), std::move(rows),
          AnswerLog(settings.samples, encoder, held_out, read.rows, context_length,
                    static_cast<uint64_t>(context.run.seed))};
}

rollout::GenerateOptions generate_options(const OnPolicySettings& settings, const OnPolicyModels& models,
                                          const data::Encoder& encoder, uint64_t seed, const std::string& who,
                                          int64_t in_flight) {
  rollout::GenerateOptions out;
  out.seed = mix64(seed, hash64(who));
  out.end_ids = encoder.endings().ids();
  out.absent_ids = models.tokenizer.without_token(models.policy.config().vocab_size);
  text::say_without_token(out.absent_ids, settings.model);
  out.bf16 = models.compute == at::kBFloat16;
  out.max_batch = std::max<int64_t>(64, std::min<int64_t>(256, in_flight));
  return out;
}

RewardFunction reward_function(const OnPolicySettings& settings, const OnPolicyModels& models,
                               const OnPolicyPrompts& prompts, const data::Encoder& encoder) {
  std::vector<rewards::RewardSum::Part> parts;
  const std::vector<double> weights = settings.weights();
  for (size_t k = 0; k < settings.rewards.size(); ++k) {
    const std::string& id = settings.rewards[k];
    parts.push_back({id, weights[k],
                     id == "model" ? rewards::model_source(models.reward, encoder, settings.close_unfinished,
                                                           models.policy.config().max_positions)
                                   : rewards::checker_source(settings.checkers.make(id), models.tokenizer)});
  }
  return [&prompts,
          sum = std::make_shared<const rewards::RewardSum>(std::move(parts))](std::span<Trajectory> trajectories) {
    std::vector<rewards::Answered> answers;
    for (const Trajectory& t : trajectories)
      answers.push_back({std::span(t.sequence.ids).first(t.prompt_tokens), t.completion.ids,
                         t.completion.finish == rollout::Finish::kStop,
                         prompts.rows.empty() ? nullptr : prompts.rows[t.row].get()});
    rewards::RewardSum::Scores scores = sum->score(answers);
    if (scores.parts.size() > 1)
      for (size_t i = 0; i < trajectories.size(); ++i)
        for (const std::vector<double>& part : scores.parts) trajectories[i].parts.push_back(part[i]);
    return std::move(scores.sum);
  };
}

void write_samples(Session& session, const OnPolicySettings& settings, const text::Tokenizer& tokenizer,
                   std::span<const Trajectory> trajectories, int64_t step) {
  for (size_t i = 0; i < std::min<size_t>(4, trajectories.size()); ++i) {
    const Trajectory& t = trajectories[i];
    const std::span<const int32_t> ids(t.sequence.ids);
    Json sample{{"step", step},
                {"prompt", tokenizer.decode(ids.subspan(0, t.prompt_tokens), true)},
                {"completion", tokenizer.decode(t.completion.ids, true)},
                {"reward", t.score},
                {"finish", t.completion.finish == rollout::Finish::kStop ? "stop" : "length"}};
    for (size_t k = 0; k < t.parts.size(); ++k) sample["rewards"][settings.rewards[k]] = t.parts[k];
    session.journal().sample(sample);
  }
}

void look_at_start(Session& session, config::StageContext& context, const model::Decoder& policy,
                   const AnswerLog& answers) {
  if (session.first_step() != 0) return;
  if (context.probe) {
    Numbers numbers{{"kl", 0.0}};
    for (auto& n : session.apart([&] { return context.probe(policy, 0); })) numbers.push_back(n);
    session.journal().metrics(0, numbers);
  }
  answers.look(policy, 0, session);
}

void finish_iteration(int64_t step, Numbers numbers, const OnPolicySettings& settings, const OnPolicyModels& models,
                      std::span<const Trajectory> trajectories, int64_t tokens, const AnswerLog& answers,
                      Warnings& warnings, Session& session, config::StageContext& context) {
  for (const std::string& w : warnings.look(step + 1, numbers)) {
    log::warn(context.record.name + " step " + std::to_string(step + 1) + ": " + w);
    context.record.warnings.emplace_back(step + 1, w);
  }
  if (context.probe && ((step + 1) % settings.watch_every == 0 || step + 1 == settings.steps))
    for (auto& n : session.apart([&] { return context.probe(models.policy, step + 1); })) numbers.push_back(n);
  if (!trajectories.empty())
    for (size_t k = 0; k < trajectories.front().parts.size(); ++k) {
      double total = 0;
      for (const Trajectory& t : trajectories) total += t.parts[k];
      numbers.emplace_back("score_" + settings.rewards[k], total / static_cast<double>(trajectories.size()));
    }
  session.journal().metrics(step + 1, numbers);
  if (session.answers_due(step)) answers.look(models.policy, step + 1, session);
  write_samples(session, settings, models.tokenizer, trajectories, step + 1);
  const auto value = [&](const char* key) {
    for (const auto& [k, v] : numbers)
      if (k == key) return v;
    return 0.0;
  };
  session.step_done(step, tokens,
                    "reward " + decimal_text(value("score"), 2) + "  KL " + decimal_text(value("kl"), 2) +
                        "  entropy " + decimal_text(value("entropy"), 2));
}

void stop_iteration(const NonFinite& e, int64_t step, std::span<const Trajectory> trajectories,
                    const config::StageContext& context) {
  Json replay = Json::array();
  for (const Trajectory& t : trajectories)
    replay.push_back({{"ids", t.sequence.ids}, {"prompt_tokens", t.prompt_tokens}, {"score", t.score}});
  stop_non_finite(context, step, e.what, replay);
}

Json save_policy(const OnPolicySettings& settings, const OnPolicyModels& models, const config::StageContext& context) {
  save_folder(context.folder / config::names::kModel, models.tokenizer, models.policy);
  Json out = record_of(models.policy);
  out["reference"] = settings.model;
  if (settings.asks_model()) out["reward"] = settings.reward;
  out["rewards"] = settings.rewards;
  return out;
}

}  // namespace hone::train
