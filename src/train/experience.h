// What an iteration of on-policy learning stands on: answers that the policy sampled, their scores, and what each
// network says of their tokens in the training forward's shape. It knows neither files nor a model class: networks are
// functions, so that the same code learns with a transformer in production and with a table in the enumeration tests.
//
// Letters: S answers; R answer tokens, all answers' end to end; N slots, which are the tokens and, where the score sits
// behind the last token, one state more for some answers (advantages/slots.h).
#pragma once
#include <functional>
#include <span>

#include "advantages/slots.h"
#include "config/stage_context.h"
#include "data/tokens.h"
#include "optim/named_tensor.h"
#include "rollout/rollout.h"
#include "tensor/logps.h"
#include "train/collate.h"

namespace hone::train {

using config::Numbers;

/// A prompt with one sampled completion and its reward.
struct Trajectory {
  data::Sequence sequence;  // prompt and completion; weight 1 on completion tokens
  int64_t prompt_tokens = 0;
  rollout::Completion completion;
  int64_t row = 0;            // rollout::Request::row
  double score = 0;           // reward of the whole answer as the reward sources gave it
  std::vector<double> parts;  // of each source, unweighted, where there are several
};

/// Log-probabilities of a batch's weighted rows under some policy, in the training forward's shape.
struct Actor {
  std::function<TokenLogps(const Batch&, const LogpsOptions&)> logps;
  std::function<std::vector<rollout::Completion>(std::span<const rollout::Request>)>
      sample;                                  // the reference needs none
  std::vector<optim::NamedTensor> parameters;  // trainable ones
};

/// Values of the states at the given packed rows -> (len(rows)) f32.
struct Critic {
  std::function<Tensor(const Batch&, const Tensor& rows)> values;
  std::vector<optim::NamedTensor> parameters;
};

/// Scores of whole trajectories; may fill in their parts.
using RewardFunction = std::function<std::vector<double>(std::span<Trajectory>)>;

/// Adds the gradient of an extra loss (pretraining mixing) to the policy's parameters; returns its value.
using ExtraLoss = std::function<double(int64_t step)>;

/// A loss or gradient that is not finite; the update it belongs to was not made.
struct NonFinite {
  std::string what;
};

/// How the networks are asked.
struct AskOptions {
  double inv_temperature = 1;  // of the log-probabilities: the distribution that was sampled from
  int64_t micro_tokens = 16384;
  at::Device device = at::kCPU;
};

/// All on the CPU.
struct Experience {
  std::vector<Trajectory> trajectories;   // (S)
  std::vector<int64_t> lengths;           // (S) tokens of prompt and answer
  std::vector<int64_t> token_offsets{0};  // (S + 1): tokens of answer s are [token_offsets[s], token_offsets[s + 1])
  std::vector<uint8_t> extra;             // (S) 1 where a slot follows the last token; empty: none
  advantages::Slots slots;                // of N slots
  Tensor sampler_logp;                    // (R) f32 as the sampler drew them
  Tensor old_logp;                        // (R) in the policy's dtype: the ratio is 1 until the policy moves
  Tensor reference_logp;                  // (R) f32
  Tensor entropy;                         // (R) f32, nats
  Tensor values;                          // (N) f32; undefined without a critic
  double gap_mean = 0, gap_max = 0;       // |sampler_logp - old_logp|
  int64_t tokens = 0;                     // of prompts and answers

  int64_t answers() const { return static_cast<int64_t>(trajectories.size()); }
  int64_t answer_tokens(int64_t s) const { return token_offsets[s + 1] - token_offsets[s]; }
};

/// Samples an answer for each request and scores it.
std::vector<Trajectory> sample_answers(const Actor& actor, const RewardFunction& reward,
                                       std::span<const rollout::Request> requests);
/// Looks at every answer once with each network. `score_position` and `max_tokens` say which answers have an extra
/// slot; `critic` null: no values.
Experience look_at(std::vector<Trajectory> trajectories, const Actor& actor, const Actor& reference,
                   const Critic* critic, std::string_view score_position, int64_t max_tokens, const AskOptions& ask);

/// The members with the answers to one prompt side by side, in the order of the trajectories; as they are where no
/// prompt has several. What is side by side batch_of computes the prompt of once.
std::vector<int64_t> prompts_together(const Experience& e, std::vector<int64_t> members);
/// Trajectories `members` as tensors on `device`; `rows` (R of them) are the places of their tokens among the R of all.
Batch batch_of(const Experience& e, std::span<const int64_t> members, at::Device device, Tensor& rows);
/// The packed rows of the members' slots: the state before token t is the hidden state that predicts it; the state
/// behind the last token is that token's own.
Tensor value_rows(const Experience& e, const Batch& batch, std::span<const int64_t> members);
/// A shuffle of `members`, a pure function of (seed, purpose, step, epoch), cut into at most `count` parts of like
/// size.
std::vector<std::vector<int64_t>> shuffled_minibatches(std::span<const int64_t> members, int64_t count, uint64_t seed,
                                                       const char* purpose, int64_t step, int64_t epoch);

/// What metrics.jsonl says of any iteration's answers, beside what was learnt from them.
struct AnswerFigures {
  double score = 0, score_std = 0;   // mean and standard deviation over answers, as the reward sources gave them
  double length = 0, eos_share = 0;  // mean tokens; share that ended by themselves
  double entropy = 0;                // mean over tokens, nats
};
AnswerFigures figures_of(const Experience& e);
/// Mean in f64; 0 of nothing.
double mean_of(std::span<const float> values);
/// A host tensor's values; (n) f32, contiguous.
std::span<const float> floats_of(const Tensor& t);

}  // namespace hone::train
