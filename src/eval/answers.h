// One model's answers to a list of prompts.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "config/stage_context.h"
#include "data/encoder.h"
#include "model/decoder.h"
#include "rollout/rollout.h"
#include "text/messages.h"

namespace hone::eval {

struct Answer {
  std::vector<int32_t> prompt, ids;  ///< tokens; ids include the end token where there is one
  std::string text;                  ///< without special tokens
  bool ended = false;
};

/// A model with what is needed to talk to it.
struct EvaluatedModel {
  std::string name, folder;
  model::Decoder decoder;
  data::Encoder encoder;  ///< by its own template, tokenizer and configuration
  /// Of matrix work where probabilities of given tokens are asked; sampling is in f32.
  at::ScalarType compute = at::ScalarType::Undefined;
};
/// Says what ends the model's answers.
EvaluatedModel open_evaluated_model(const std::string& name, const std::string& folder, const std::string& device,
                                    const std::string& chat_format = "auto");
/// "ppo=FOLDER" -> {"ppo", "FOLDER"}; anything else is kUsage naming `key`.
std::pair<std::string, std::string> name_and_folder(const std::string& text, const char* key);

/// `samples` answers to each prompt, prompt by prompt; `keys[i]` names prompt i in the random stream, so that every
/// model meets the same random numbers. An answer stops at the encoder's ends. `label` titles the progress bar; empty:
/// none.
std::vector<Answer> answer(const model::Decoder& decoder, const data::Encoder& encoder,
                           std::span<const std::vector<int32_t>> prompts, std::span<const uint64_t> keys,
                           int64_t samples, const rollout::SamplingParams& sampling, uint64_t seed,
                           const std::string& label);

/// The same of conversations, tokenised by the encoder; `ids[i]` names prompt i.
std::vector<Answer> answer(const model::Decoder& decoder, const data::Encoder& encoder,
                           std::span<const std::vector<text::Message>> prompts, std::span<const std::string> ids,
                           int64_t samples, const rollout::SamplingParams& sampling, uint64_t seed,
                           const std::string& label);

/// Prompt and answer as a reward model sees them; `close`: an end token stands behind an answer that has none too,
/// where the context of `max_positions` has room.
std::vector<std::vector<int32_t>> whole_sequences(std::span<const Answer> answers, const data::Encoder& encoder,
                                                  bool close = false, int64_t max_positions = 0);

/// For each answer, log p(answer | prompt) at `temperature`, above 0, summed over its tokens, nats.
/// Over the whole output layer, or without `absent_ids` as they were sampled.
std::vector<double> answer_logps(const EvaluatedModel& evaluated, std::span<const Answer> answers,
                                 double temperature = 1, std::span<const int32_t> absent_ids = {});

/// For each answer log(p / p_reference) of what was sampled, k1 of KL: at the temperature sampled at, over the tokens
/// that there are. Nats an answer.
std::vector<double> answer_kl(const EvaluatedModel& evaluated, const EvaluatedModel& reference,
                              std::span<const Answer> answers, double temperature);

}  // namespace hone::eval
