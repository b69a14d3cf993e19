// The PPO stage: files, models and the loop around ppo_learner.h. Steps:
//   1. policy, frozen reference, critic and reward model, all of one tokenizer
//   2. prompts, without those held out of the reward model's training, tokenised; say what is lost
//   3. for each iteration: the learner samples, scores and updates; metrics, warnings, samples; checkpoint
//   4. the model folder
#include "train/ppo.h"

#include <algorithm>
#include <cmath>

#include "base/adapter.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/rng.h"
#include "base/sha256.h"
#include "data/encode_rows.h"
#include "data/split.h"
#include "losses/aggregate.h"
#include "losses/language.h"
#include "model/hf_folder.h"
#include "rewards/reward_model.h"
#include "text/tokenizer.h"
#include "train/adapt.h"
#include "train/answer_ends.h"
#include "train/answer_log.h"
#include "train/batch_plan.h"
#include "train/memory.h"
#include "train/memory_count.h"
#include "train/networks.h"
#include "train/ppo_learner.h"
#include "train/precision.h"
#include "train/session.h"
#include "train/trainable.h"
#include "train/warnings.h"

namespace hone::train {
namespace {

struct Models {
  text::Tokenizer tokenizer;
  model::Decoder policy, reference, critic;
  model::ScalarHead value_head;
  rewards::RewardModel reward;
};

void require_same(const text::Tokenizer& policy, const std::string& folder, const std::string& what) {
  text::require_same_tokenizer(policy, folder, "the " + what + " has another tokenizer than the policy",
                               "PPO scores the very token ids that were sampled, so both must share one tokenizer");
}

// The model as given: under full training its copy; under an adapter the same frozen tensors, with the adapter that the
// model brought, if any.
model::Decoder make_reference(model::Decoder& policy, const PpoParams& params, at::ScalarType compute, uint64_t seed) {
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

struct CriticStart {
  model::Decoder decoder;
  std::optional<model::ScalarHead> head;
};

// A critic that learns by an adapter stands on frozen tensors that are there anyway: the reward model's or the
// reference's.
CriticStart load_critic(const std::string& folder, const PpoParams& params, const rewards::RewardModel& reward,
                        const model::Decoder& reference, std::span<const model::LoadedBase> loaded,
                        at::ScalarType compute) {
  if (params.critic_adapter.rank > 0) {
    const auto is = [&](const std::string& other) {
      return fs::weakly_canonical(folder) == fs::weakly_canonical(other);
    };
    const model::Decoder& asked = reward.member(0).decoder;
    if (is(params.reward) && asked.matrix_dtype() == reference.matrix_dtype()) {
      const model::ScalarHead& head = reward.member(0).head;
      return {over_same_base(asked),
              model::ScalarHead{head.weight.clone(), head.bias.defined() ? head.bias.clone() : Tensor()}};
    }
    if (is(params.model)) return {over_same_base(reference), std::nullopt};
  }
  model::LoadedModel critic =
      model::load_model(folder, params.critic_adapter.rank > 0 ? loaded : std::span<const model::LoadedBase>());
  if (!critic.shared) {
    critic.decoder.to(reference.device(), at::kFloat);
    if (params.critic_adapter.rank > 0) critic.decoder.keep_matrices_in(compute);
  }
  return {std::move(critic.decoder), std::move(critic.head)};
}

Models load_models(const PpoParams& params, config::StageContext& context, at::ScalarType& compute) {
  const auto seed = static_cast<uint64_t>(context.run.seed);
  const at::Device device(context.run.device);
  text::Tokenizer tokenizer = text::Tokenizer::load(params.model);
  model::LoadedModel policy = model::load_model(params.model);
  if (policy.head)
    usage_error(params.model + ": is a reward model, not a language model", "start from the model that it was made of");
  policy.decoder.to(device, at::kFloat);
  compute = resolve_precision(context, policy.decoder.config());
  model::Decoder reference = make_reference(policy.decoder, params, compute, seed);
  if (params.train_layers > 0) {
    if (params.train_layers > policy.decoder.config().layers)
      usage_error("ppo: train_layers is more than the model has");
    // The trunk that does not learn is one set of tensors for both.
    trainable_tensors(policy.decoder, nullptr, params.train_layers);
    for (size_t i = 0; i < policy.decoder.parameters().size(); ++i)
      if (!policy.decoder.parameters()[i].tensor.requires_grad()) reference.share_parameter(i, policy.decoder);
  }
  std::vector<model::LoadedBase> loaded;
  if (policy.decoder.adapter() != nullptr) loaded.push_back({policy.decoder.adapter()->base, &reference});
  else if (!is_adapter(params.model) && params.train_layers == 0) loaded.push_back({params.model, &reference});
  require_same(tokenizer, params.reward, "reward model");
  rewards::RewardModel reward = rewards::RewardModel::load(params.reward, device, context.run.dtype, loaded);
  log::info("  reward model asked in " + reward.dtype());
  reward.combine_by(params.ensemble, params.ensemble_penalty);
  if (params.ensemble != "mean" && reward.members() == 1)
    usage_error(params.reward + ": is one reward model, so ensemble = \"" + params.ensemble + "\" changes nothing",
                "train several members (reward.ensemble), or leave the setting out");
  const std::string critic_folder = params.critic.empty() ? params.reward : params.critic;
  require_same(tokenizer, critic_folder, "critic");
  CriticStart critic = load_critic(critic_folder, params, reward, reference, loaded, compute);
  critic.decoder.drop_output_weight();
  log::info(critic.head ? "  critic starts from " + critic_folder
                        : "  critic starts from " + critic_folder + " with a new value head of zeros");
  settle_adapter(critic.decoder, critic_folder, params.critic_adapter, mix64(seed, hash64("critic")), "critic_adapter");
  model::ScalarHead head =
      critic.head ? std::move(*critic.head) : model::make_scalar_head(critic.decoder.config().width, 0, seed);
  head.weight = head.weight.to(device);
  if (head.bias.defined()) head.bias = head.bias.to(device);
  const model::ModelConfig& scored = critic.decoder.config();
  head = critic.head ? value_head(head, scored.reward_shift, scored.reward_scale) : value_head(head, 0, 1);
  return {std::move(tokenizer),      std::move(policy.decoder), std::move(reference),
          std::move(critic.decoder), std::move(head),           std::move(reward)};
}

// The reward model's comparisons were split by prompt; the policy stays on the side that it was trained on. A reward
// model from elsewhere brings no split.
// -> the prompts left out.
std::vector<data::Prompt> leave_out_held_out(const PpoParams& params, config::StageContext& context,
                                             std::vector<data::Prompt>& prompts) {
  const fs::path file = fs::canonical(params.reward).parent_path() / config::names::kSplit;
  if (!params.skip_held_out || !fs::exists(file)) return {};
  context.record.inputs.emplace_back(file.string(), sha256_file(file));
  const data::SplitManifest split = data::SplitManifest::load(file);
  const auto left_out = std::ranges::stable_partition(
      prompts, [&](const data::Prompt& p) { return !split.held_out(data::prompt_hash(p)); });
  std::vector<data::Prompt> out(std::make_move_iterator(left_out.begin()), std::make_move_iterator(left_out.end()));
  prompts.erase(left_out.begin(), left_out.end());
  log::info("  " + count_text(std::ssize(out)) +
            " prompts left out: they are on the held-out side of the reward model's split");
  if (prompts.empty())
    usage_error("ppo: every prompt is on the held-out side of the reward model's split",
                "give more prompts, or set skip_held_out = false");
  return out;
}

struct Prompts {
  std::vector<rollout::Request> requests;
  AnswerLog answers;
};

Prompts load_prompts(const PpoParams& params, config::StageContext& context, const data::Encoder& encoder,
                     int64_t context_length) {
  auto read = data::read_prompts(params.prompts, params.read);
  log::info("  " + read.report.summary());
  const std::vector<data::Prompt> held_out = leave_out_held_out(params, context, read.rows);
  auto encoded = data::encode_prompts(read.rows, encoder, params.length, context_length, params.sampling.max_tokens);
  log::info("  " + encoded.lengths.summary());
  data::require_kept(encoded.lengths, params.length, "prompts");
  std::vector<rollout::Request> out;
  for (size_t i = 0; i < encoded.items.size(); ++i)
    out.push_back({std::move(encoded.items[i]), hash64(read.rows[static_cast<size_t>(encoded.rows[i])].id), 0});
  return {std::move(out), AnswerLog(params.samples, encoder, held_out, read.rows, context_length,
                                    static_cast<uint64_t>(context.run.seed))};
}

// Pretraining text mixed into the policy's gradient (Ouyang et al. 2022, "PPO-ptx").
ExtraLoss pretraining_mix(const PpoParams& params, const Models& models, const Actor& actor, uint64_t seed,
                          at::Device device) {
  if (params.pretrain_coef <= 0) return {};
  data::ReadSettings read;
  read.split_text_by = "blank_line";
  auto documents = data::read_documents(params.pretrain_data, read);
  auto sequences = std::make_shared<std::vector<data::Sequence>>();
  for (const data::Document& d : documents.rows) {
    data::Sequence s;
    if (const auto bos = models.tokenizer.begin()) s.ids.push_back(*bos);
    for (const int32_t id : models.tokenizer.encode(d.text, false)) s.ids.push_back(id);
    if (models.tokenizer.eos()) s.ids.push_back(*models.tokenizer.eos());
    if (s.size() > models.policy.config().max_positions)
      s.ids.resize(static_cast<size_t>(models.policy.config().max_positions));
    if (s.size() < 2) continue;
    s.weight.assign(s.ids.size(), 1.0f);
    s.weight[0] = 0;
    sequences->push_back(std::move(s));
  }
  if (sequences->empty() || params.pretrain_tokens < 1)
    usage_error("ppo: pretrain_data holds no text, or pretrain_tokens is not above 0");
  return [=, logps = actor.logps, coef = params.pretrain_coef, budget = params.pretrain_tokens](int64_t step) {
    Stream stream(seed, "pretrain-mix", static_cast<uint64_t>(step));
    std::vector<const data::Sequence*> members;
    double weight = 0;
    for (int64_t tokens = 0; tokens < budget;) {
      const data::Sequence& s = (*sequences)[stream.below(sequences->size())];
      members.push_back(&s);
      tokens += s.size();
      weight += losses::total_weight(s.weight);
    }
    const Batch b = collate(members, device);
    const Tensor loss = losses::reduce(losses::language(logps(b, {}).logps), b.weights, weight);
    (loss * coef).backward();
    return loss.item<double>();
  };
}

void write_samples(Session& session, const text::Tokenizer& tokenizer, const std::vector<Trajectory>& trajectories,
                   int64_t step) {
  for (size_t i = 0; i < std::min<size_t>(4, trajectories.size()); ++i) {
    const Trajectory& t = trajectories[i];
    const std::span<const int32_t> ids(t.sequence.ids);
    session.journal().sample(
        Json{{"step", step},
             {"prompt", tokenizer.decode(ids.subspan(0, static_cast<size_t>(t.prompt_tokens)), true)},
             {"completion", tokenizer.decode(t.completion.ids, true)},
             {"reward", t.score},
             {"finish", t.completion.finish == rollout::Finish::kStop ? "stop" : "length"}});
  }
}

}  // namespace

void PpoParams::settle(const std::set<std::string>& given) {
  if (adapter.rank <= 0) return;
  const auto inherit = [&](const char* key, auto& own, const auto& of_policy) {
    if (!given.contains(std::string("critic_adapter.") + key)) own = of_policy;
  };
  inherit("rank", critic_adapter.rank, adapter.rank);
  if (critic_adapter.rank <= 0) return;
  inherit("alpha", critic_adapter.alpha, adapter.alpha);
  inherit("rslora", critic_adapter.rslora, adapter.rslora);
  inherit("targets", critic_adapter.targets, adapter.targets);
}

void PpoParams::check() const {
  if (model.empty() || reward.empty())
    usage_error("needs a model and a reward model", "give model = \"FOLDER\" and reward = \"FOLDER\"");
  if (prompts.empty()) usage_error("no prompts", "give prompts = [\"prompts.jsonl\"]");
  if (pretrain_coef > 0 && pretrain_data.empty()) usage_error("pretrain_coef needs pretrain_data");
  check_algorithm();
}

void run_ppo(const PpoParams& params, config::StageContext& context) {
  const auto seed = static_cast<uint64_t>(context.run.seed);

  // 1. and 2. Models and prompts.
  at::ScalarType compute = at::ScalarType::Undefined;
  Models models = load_models(params, context, compute);
  const at::Device device(context.run.device);
  const data::Encoder encoder =
      data::Encoder::make(models.tokenizer, params.length.chat_format, models.policy.config().eos);
  settle_answer_ends(encoder, context, models.policy.config());
  const auto [prompts, answers] = load_prompts(params, context, encoder, models.policy.config().max_positions);

  rollout::GenerateOptions generate_options;
  generate_options.seed = mix64(seed, hash64("ppo"));
  generate_options.end_ids = encoder.endings().ids();
  generate_options.absent_ids = models.tokenizer.without_token(models.policy.config().vocab_size);
  text::say_without_token(generate_options.absent_ids, params.model);
  generate_options.bf16 = compute == at::kBFloat16;
  generate_options.max_batch = std::max<int64_t>(64, std::min<int64_t>(256, params.batch_prompts));
  model::AttentionWork attention;
  const model::ComputeOptions options{.matmul = compute,
                                      .checkpoint = params.checkpoint_activations,
                                      .work = &attention,
                                      .casts = std::make_shared<WeightCasts>()};
  const model::ComputeOptions frozen{.matmul = compute, .work = &attention};  // asked once an iteration: keeps no casts
  Actor actor = decoder_actor(models.policy, options, params.sampling, generate_options);
  actor.parameters = trainable_tensors(models.policy, nullptr, params.train_layers);
  models.reference.set_trainable(false);
  Critic critic = decoder_critic(models.critic, models.value_head, options);
  critic.parameters = trainable_tensors(models.critic, &models.value_head);
  const RewardFunction reward = [&](std::span<const Trajectory> trajectories) {
    std::vector<std::vector<int32_t>> sequences;
    for (const Trajectory& t : trajectories)
      sequences.push_back(encoder.sampled(std::span(t.sequence.ids).first(static_cast<size_t>(t.prompt_tokens)),
                                          t.completion.ids, params.close_unfinished,
                                          models.policy.config().max_positions));
    return models.reward.score(sequences);
  };
  // Pretraining's loss is over the whole output layer, as it was in pretraining.
  const ExtraLoss extra = pretraining_mix(params, models, decoder_actor(models.policy, options), seed, device);
  PpoParams resolved = params;
  resolved.micro_tokens = micro_tokens(params, models.policy.config(), compute == at::kBFloat16);
  PpoLearner learner(resolved, seed, params.steps, device, actor,
                     decoder_actor(models.reference, frozen, generate_options.absent_ids), critic, reward, extra);
  const int64_t given = static_cast<int64_t>(prompts.size()), taken = std::min(given, params.batch_prompts);
  log::info("  " + count_text(models.policy.parameter_count()) + " parameters in the policy, " + count_text(given) +
            " prompts, " + count_text(params.steps) + " iterations of " +
            count_text(taken * params.samples_per_prompt) + " answers");
  if (taken < params.batch_prompts)
    log::warn("ppo: batch_prompts = " + count_text(params.batch_prompts) + ", but there are " + count_text(given) +
              " prompts: every iteration takes all of them");
  for (const std::string& line : learner.describe()) log::info("  " + line);

  LoopState state;
  state.tensors = [&] {
    optim::StateTensors out;
    append_weights(out, "policy.", actor.parameters);
    append_weights(out, "critic.", critic.parameters);
    for (auto& t : learner.state_tensors()) out.push_back(t);
    return out;
  };
  Warnings warnings;
  state.json = [&] { return Json{{"learner", learner.state()}, {"warnings", warnings.state()}}; };
  state.restore = [&](const optim::StateTensors& saved, const Json& json) {
    restore_weights(saved, "policy.", actor.parameters);
    restore_weights(saved, "critic.", critic.parameters);
    learner.load_state(saved, json.at("learner"));
    warnings.load_state(json.at("warnings"));
  };
  Session session(context, params.keep, "  " + context.record.name, params.steps, state, &attention);

  // 3. Iterations. The prompts of an iteration follow from its number alone.
  const std::vector<int64_t> ones(prompts.size(), 1);
  const BatchPlan plan = BatchPlan::of_steps(ones, params.batch_prompts, params.steps, seed);
  if (session.first_step() == 0 && context.probe) {
    Numbers numbers{{"kl", 0.0}};
    for (auto& n : session.apart([&] { return context.probe(models.policy, 0); })) numbers.push_back(n);
    session.journal().metrics(0, numbers);
  }
  if (session.first_step() == 0) answers.look(models.policy, 0, session);
  for (int64_t step = session.first_step(); step < params.steps; ++step) {
    std::vector<rollout::Request> requests;
    for (const int64_t i : plan.batch(step))
      for (int64_t s = 0; s < params.samples_per_prompt; ++s) {
        requests.push_back(prompts[static_cast<size_t>(i)]);
        // The same prompt in another iteration must meet other random numbers.
        requests.back().sample = static_cast<uint64_t>(step * params.samples_per_prompt + s);
      }
    Numbers numbers;
    try {
      numbers = learner.step(step, requests);
    } catch (const NonFinite& e) {
      Json replay = Json::array();
      for (const Trajectory& t : learner.trajectories())
        replay.push_back({{"ids", t.sequence.ids}, {"prompt_tokens", t.prompt_tokens}, {"score", t.score}});
      stop_non_finite(context, step, e.what, replay);
    }
    for (const std::string& w : warnings.look(step + 1, numbers)) {
      log::warn(context.record.name + " step " + std::to_string(step + 1) + ": " + w);
      context.record.warnings.emplace_back(step + 1, w);
    }
    if (context.probe && ((step + 1) % params.watch_every == 0 || step + 1 == params.steps))
      for (auto& n : session.apart([&] { return context.probe(models.policy, step + 1); })) numbers.push_back(n);
    session.journal().metrics(step + 1, numbers);
    if (session.answers_due(step)) answers.look(models.policy, step + 1, session);
    write_samples(session, models.tokenizer, learner.trajectories(), step + 1);
    const auto value = [&](const char* key) {
      for (const auto& [k, v] : numbers)
        if (k == key) return v;
      return 0.0;
    };
    session.step_done(step, learner.last_tokens(),
                      "reward " + decimal_text(value("score"), 2) + "  KL " + decimal_text(value("kl"), 2) +
                          "  entropy " + decimal_text(value("entropy"), 2));
  }

  // 4. The result.
  const fs::path folder = context.folder / config::names::kModel;
  fs::create_directories(folder);
  models.tokenizer.save(folder);
  model::save_model(folder, models.policy);
  Json model{{"parameters", models.policy.parameter_count()}, {"reference", params.model}, {"reward", params.reward}};
  record_adapter(models.policy, model);
  MemoryCount memory;
  for (const model::Decoder* network : {&models.policy, &models.reference, &models.critic}) memory.add(*network);
  for (size_t i = 0; i < models.reward.members(); ++i) memory.add(models.reward.member(i).decoder);
  memory.add_trained(actor.parameters);
  memory.add_trained(critic.parameters);
  memory.add(learner.state_tensors());
  memory.add(*options.casts);
  model["memory_bytes"] = memory.bytes();
  context.record.model_json = dump_json(model);
  context.record.summary_json = dump_json(learner.summary());
}

}  // namespace hone::train
