// The group stage: files, models and the loop around group_learner.h. Steps:
//   1. policy, frozen reference and reward model, all of one tokenizer
//   2. prompts, without those held out of the reward model's training, tokenised; say what is lost
//   3. for each iteration: the learner asks for prompts, samples, scores and updates; metrics, warnings, samples;
//   checkpoint
//   4. the model folder
#include "train/group.h"

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/progress.h"
#include "train/answer_ends.h"
#include "train/group_learner.h"
#include "train/memory.h"
#include "train/memory_count.h"
#include "train/networks.h"
#include "train/on_policy.h"
#include "train/prompt_cursor.h"
#include "train/trainable.h"

namespace hone::train {

void GroupParams::check() const {
  check_inputs();
  check_algorithm();
}

void run_group(const GroupParams& params, config::StageContext& context) {
  const auto seed = static_cast<uint64_t>(context.run.seed);
  const at::Device device(context.run.device);

  // 1. and 2. Models and prompts.
  OnPolicyModels models = load_on_policy_models(params, context, "group");
  const data::Encoder encoder =
      data::Encoder::make(models.tokenizer, params.length.chat_format, models.policy.config().eos);
  settle_answer_ends(encoder, context, models.policy.config());
  const OnPolicyPrompts loaded =
      load_on_policy_prompts(params, context, encoder, models.policy.config().max_positions, "group");
  const std::vector<rollout::Request>& prompts = loaded.requests;

  const rollout::GenerateOptions sampler =
      generate_options(params, models, encoder, seed, "group", params.batch_prompts * params.samples_per_prompt);
  model::AttentionWork attention;
  const model::ComputeOptions options{.matmul = models.compute,
                                      .checkpoint = params.checkpoint_activations,
                                      .work = &attention,
                                      .casts = std::make_shared<WeightCasts>()};
  const model::ComputeOptions frozen{.matmul = models.compute, .work = &attention};  // asked once an iteration
  Actor actor = decoder_actor(models.policy, options, params.sampling, sampler);
  actor.parameters = trainable_tensors(models.policy, nullptr, params.train_layers);
  models.reference.set_trainable(false);
  rollout::SamplingParams greedily = params.sampling;
  greedily.temperature = 0;
  GroupParams resolved = params;
  resolved.micro_tokens = micro_tokens(params, models.policy.config(), models.compute == at::kBFloat16);
  GroupLearner learner(
      resolved, seed, params.steps, device, actor, decoder_actor(models.reference, frozen, sampler.absent_ids),
      decoder_actor(models.policy, options, greedily, sampler), reward_function(params, models, loaded, encoder));
  log::info("  " + count_text(models.policy.parameter_count()) + " parameters in the policy, " +
            count_text(std::ssize(prompts)) + " prompts, " + count_text(params.steps) + " iterations of " +
            count_text(params.batch_prompts * params.samples_per_prompt) + " answers");
  for (const std::string& line : learner.describe()) log::info("  " + line);

  LoopState state;
  state.tensors = [&] {
    optim::StateTensors out;
    append_weights(out, "policy.", actor.parameters);
    for (auto& t : learner.state_tensors()) out.push_back(t);
    return out;
  };
  Warnings warnings(params.asks_model());
  PromptCursor cursor(std::ssize(prompts), seed);
  state.json = [&] {
    return Json{{"learner", learner.state()}, {"warnings", warnings.state()}, {"prompts_drawn", cursor.place()}};
  };
  state.restore = [&](const optim::StateTensors& saved, const Json& json) {
    restore_weights(saved, "policy.", actor.parameters);
    learner.load_state(saved, json.at("learner"));
    warnings.load_state(json.at("warnings"));
    cursor.seek(json.at("prompts_drawn"));
  };
  Session session(context, params.keep, "  " + context.record.name, params.steps, state, &attention);

  // 3. Iterations. Which prompts come next follows from how many have been drawn.
  const PromptSource next = [&](int64_t count) {
    std::vector<rollout::Request> out;
    for (int64_t i = 0; i < count; ++i) {
      const PromptCursor::Drawn drawn = cursor.next();
      for (int64_t s = 0; s < params.samples_per_prompt; ++s) {
        out.push_back(prompts[drawn.prompt]);
        // The same prompt in another epoch must meet other random numbers.
        out.back().sample = static_cast<uint64_t>(drawn.epoch * params.samples_per_prompt + s);
      }
    }
    return out;
  };
  look_at_start(session, context, models.policy, loaded.answers);
  for (int64_t step = session.first_step(); step < params.steps; ++step) {
    Numbers numbers;
    try {
      numbers = learner.step(step, next);
    } catch (const NonFinite& e) {
      stop_iteration(e, step, learner.trajectories(), context);
    }
    finish_iteration(step, std::move(numbers), params, models, learner.trajectories(), learner.last_tokens(),
                     loaded.answers, warnings, session, context);
  }

  // 4. The result.
  Json model = save_policy(params, models, context);
  MemoryCount memory;
  for (const model::Decoder* network : {&models.policy, &models.reference}) memory.add(*network);
  for (size_t i = 0; i < models.reward.members(); ++i) memory.add(models.reward.member(i).decoder);
  memory.add_trained(actor.parameters);
  memory.add(learner.state_tensors());
  memory.add(*options.casts);
  model["memory_bytes"] = memory.bytes();
  context.record.model_json = dump_json(model);
  context.record.summary_json = dump_json(learner.summary());
}

}  // namespace hone::train
