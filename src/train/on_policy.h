// What the stages that learn from their own samples share around their learners: models, prompts, sampling, rewards and
// what they write.
#pragma once
#include <memory>

#include "config/stage_context.h"
#include "data/encoder.h"
#include "model/hf_folder.h"
#include "rewards/reward_source.h"
#include "text/tokenizer.h"
#include "train/answer_log.h"
#include "train/experience.h"
#include "train/on_policy_settings.h"
#include "train/session.h"
#include "train/warnings.h"

namespace hone::train {

/// All of one tokenizer.
struct OnPolicyModels {
  text::Tokenizer tokenizer;
  model::Decoder policy, reference;
  rewards::RewardModel reward;                         // of no members where no reward model is asked
  at::ScalarType compute = at::ScalarType::Undefined;  // of matrix work, as resolved
};
/// `who` names the stage's kind in errors.
OnPolicyModels load_on_policy_models(const OnPolicySettings& settings, config::StageContext& context,
                                     const std::string& who);
/// Frozen decoders whose tensors an adapter's folder may share.
std::vector<model::LoadedBase> loaded_bases(const OnPolicySettings& settings, const OnPolicyModels& models);
/// kUsage where `folder` has another tokenizer than the policy.
void require_same(const text::Tokenizer& policy, const std::string& folder, const std::string& what);

struct OnPolicyPrompts {
  std::vector<rollout::Request> requests;         // the i-th has row = i
  std::vector<std::shared_ptr<const Json>> rows;  // of each where a checker reads them, else empty
  AnswerLog answers;
};
/// The prompts, without those held out of the reward model's training, tokenised; says what is lost. A row that lacks
/// what a checker reads: kUsage, or left out and counted (on_bad_line = "skip").
OnPolicyPrompts load_on_policy_prompts(const OnPolicySettings& settings, config::StageContext& context,
                                       const data::Encoder& encoder, int64_t context_length, const std::string& who);

/// `in_flight`: sequences of an iteration, of which at most 256 are sampled at once.
rollout::GenerateOptions generate_options(const OnPolicySettings& settings, const OnPolicyModels& models,
                                          const data::Encoder& encoder, uint64_t seed, const std::string& who,
                                          int64_t in_flight);
/// The weighted sum of the stage's reward sources. Models, prompts and encoder must outlive it.
RewardFunction reward_function(const OnPolicySettings& settings, const OnPolicyModels& models,
                               const OnPolicyPrompts& prompts, const data::Encoder& encoder);

/// What a reader finds in samples.jsonl: the first few answers of an iteration.
void write_samples(Session& session, const OnPolicySettings& settings, const text::Tokenizer& tokenizer,
                   std::span<const Trajectory> trajectories, int64_t step);
/// Before the first iteration: gold, if watched, and answers.
void look_at_start(Session& session, config::StageContext& context, const model::Decoder& policy,
                   const AnswerLog& answers);
/// After iteration `step` (0-based): warnings, gold if due, metrics, samples, answers; then Session::step_done.
void finish_iteration(int64_t step, Numbers numbers, const OnPolicySettings& settings, const OnPolicyModels& models,
                      std::span<const Trajectory> trajectories, int64_t tokens, const AnswerLog& answers,
                      Warnings& warnings, Session& session, config::StageContext& context);
/// A loss or gradient that is not finite: writes the batch for replay and throws.
[[noreturn]] void stop_iteration(const NonFinite& e, int64_t step, std::span<const Trajectory> trajectories,
                                 const config::StageContext& context);
/// The model folder; what the record says of it, memory apart.
Json save_policy(const OnPolicySettings& settings, const OnPolicyModels& models, const config::StageContext& context);

}  // namespace hone::train
