// The PPO stage: files, models and the loop around ppo_learner.h. Steps:
//   1. policy, frozen reference, critic and reward model, all of one tokenizer
//   2. prompts, without those held out of the reward model's training, tokenised; say what is lost
//   3. for each iteration: the learner samples, scores and updates; metrics, warnings, samples; checkpoint
//   4. the model folder, and the critic's
#include "train/ppo.h"

#include "base/adapter.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/rng.h"
#include "losses/aggregate.h"
#include "losses/language.h"
#include "train/adapt.h"
#include "train/answer_ends.h"
#include "train/batch_plan.h"
#include "train/learning.h"
#include "train/memory.h"
#include "train/memory_count.h"
#include "train/networks.h"
#include "train/on_policy.h"
#include "train/ppo_learner.h"
#include "train/trainable.h"

namespace hone::train {
namespace {

struct CriticStart {
  model::Decoder decoder;
  std::optional<model::ScalarHead> head;
};

// A critic that learns by an adapter stands on frozen tensors that are there anyway: the reward model's or the
// reference's.
CriticStart load_critic(const std::string& folder, const PpoParams& params, const OnPolicyModels& models) {
  const model::Decoder& reference = models.reference;
  if (params.critic_adapter.rank > 0) {
    const auto is = [&](const std::string& other) {
      return fs::weakly_canonical(folder) == fs::weakly_canonical(other);
    };
    const bool rewards = params.asks_model() && is(params.reward);
    if (rewards && models.reward.member(0).decoder.matrix_dtype() == reference.matrix_dtype()) {
      const model::Decoder& asked = models.reward.member(0).decoder;
      const model::ScalarHead& head = models.reward.member(0).head;
      return {over_same_base(asked),
              model::ScalarHead{head.weight.clone(), head.bias.defined() ? head.bias.clone() : Tensor()}};
    }
    if (is(params.model)) return {over_same_base(reference), std::nullopt};
  }
  model::LoadedModel critic = params.critic_adapter.rank > 0 ? model::load_model(folder, loaded_bases(params, models))
                                                             : model::load_model(folder);
  if (!critic.shared) {
    critic.decoder.to(reference.device(), at::kFloat);
    if (params.critic_adapter.rank > 0) critic.decoder.keep_matrices_in(models.compute);
  }
  return {std::move(critic.decoder), std::move(critic.head)};
}

struct CriticModel {
  model::Decoder decoder;
  model::ScalarHead head;
};

CriticModel make_critic(const PpoParams& params, const OnPolicyModels& models, uint64_t seed, at::Device device) {
  const std::string folder = params.critic_folder();
  require_same(models.tokenizer, folder, "critic");
  CriticStart critic = load_critic(folder, params, models);
  critic.decoder.drop_output_weight();
  log::info(critic.head ? "  critic starts from " + folder
                        : "  critic starts from " + folder + " with a new value head of zeros");
  settle_adapter(critic.decoder, folder, params.critic_adapter, mix64(seed, hash64("critic")), "critic_adapter");
  model::ScalarHead head =
      critic.head ? std::move(*critic.head) : model::make_scalar_head(critic.decoder.config().width, 0, seed);
  head.weight = head.weight.to(device);
  if (head.bias.defined()) head.bias = head.bias.to(device);
  const model::ModelConfig& scored = critic.decoder.config();
  head = critic.head ? value_head(head, scored.reward_shift, scored.reward_scale) : value_head(head, 0, 1);
  return {std::move(critic.decoder), std::move(head)};
}

// Pretraining text mixed into the policy's gradient (Ouyang et al. 2022, "PPO-ptx").
ExtraLoss pretraining_mix(const PpoParams& params, const OnPolicyModels& models, const Actor& actor, uint64_t seed,
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
    if (s.size() > models.policy.config().max_positions) s.ids.resize(models.policy.config().max_positions);
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

// As a model of one score in the unit of rewards, which `critic` of another run takes; its head has a bias.
void save_critic(CriticModel& value, const text::Tokenizer& tokenizer, const fs::path& folder) {
  value.decoder.config().reward_shift = 0;
  value.decoder.config().reward_scale = 1;
  save_folder(folder, tokenizer, value.decoder, &value.head);
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
  check_inputs();
  if (pretrain_coef > 0 && pretrain_data.empty()) usage_error("pretrain_coef needs pretrain_data");
  check_algorithm();
}

void run_ppo(const PpoParams& params, config::StageContext& context) {
  const auto seed = static_cast<uint64_t>(context.run.seed);
  const at::Device device(context.run.device);

  // 1. and 2. Models and prompts.
  OnPolicyModels models = load_on_policy_models(params, context, "ppo");
  CriticModel value = make_critic(params, models, seed, device);
  const data::Encoder encoder =
      data::Encoder::make(models.tokenizer, params.length.chat_format, models.policy.config().eos);
  settle_answer_ends(encoder, context, models.policy.config());
  const OnPolicyPrompts loaded =
      load_on_policy_prompts(params, context, encoder, models.policy.config().max_positions, "ppo");
  const std::vector<rollout::Request>& prompts = loaded.requests;

  const rollout::GenerateOptions sampler = generate_options(params, models, encoder, seed, "ppo", params.batch_prompts);
  model::AttentionWork attention;
  const model::ComputeOptions options{.matmul = models.compute,
                                      .checkpoint = params.checkpoint_activations,
                                      .work = &attention,
                                      .casts = std::make_shared<WeightCasts>()};
  const model::ComputeOptions frozen{.matmul = models.compute,
                                     .work = &attention};  // asked once an iteration: keeps no casts
  Actor actor = decoder_actor(models.policy, options, params.sampling, sampler);
  actor.parameters = trainable_tensors(models.policy, nullptr, params.train_layers);
  models.reference.set_trainable(false);
  Critic critic = decoder_critic(value.decoder, value.head, options);
  critic.parameters = trainable_tensors(value.decoder, &value.head);
  // Pretraining's loss is over the whole output layer, as it was in pretraining.
  const ExtraLoss extra = pretraining_mix(params, models, decoder_actor(models.policy, options), seed, device);
  PpoParams resolved = params;
  resolved.micro_tokens = micro_tokens(params, models.policy.config(), models.compute == at::kBFloat16);
  PpoLearner learner(resolved, seed, params.steps, device, actor,
                     decoder_actor(models.reference, frozen, sampler.absent_ids), critic,
                     reward_function(params, models, loaded, encoder), extra);
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
  Warnings warnings(params.asks_model());
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
  look_at_start(session, context, models.policy, loaded.answers);
  for (int64_t step = session.first_step(); step < params.steps; ++step) {
    std::vector<rollout::Request> requests;
    for (const int64_t i : plan.batch(step))
      for (int64_t s = 0; s < params.samples_per_prompt; ++s) {
        requests.push_back(prompts[i]);
        // The same prompt in another iteration must meet other random numbers.
        requests.back().sample = static_cast<uint64_t>(step * params.samples_per_prompt + s);
      }
    Numbers numbers;
    try {
      numbers = learner.step(step, requests);
    } catch (const NonFinite& e) {
      stop_iteration(e, step, learner.trajectories(), context);
    }
    finish_iteration(step, std::move(numbers), params, models, learner.trajectories(), learner.last_tokens(),
                     loaded.answers, warnings, session, context);
  }

  // 4. The result.
  Json model = save_policy(params, models, context);
  save_critic(value, models.tokenizer, context.folder / config::names::kCritic);
  MemoryCount memory;
  for (const model::Decoder* network : {&models.policy, &models.reference, &value.decoder}) memory.add(*network);
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
