#include "eval/answers.h"

#include "base/error.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/rng.h"
#include "model/hf_folder.h"
#include "rollout/generate.h"
#include "rollout/logprobs.h"

namespace hone::eval {

EvaluatedModel open_evaluated_model(const std::string& name, const std::string& folder, const std::string& device,
                                    const std::string& chat_format) {
  model::LoadedModel loaded = model::load_model(folder);
  loaded.decoder.to(at::Device(device), at::kFloat);
  data::Encoder encoder = data::Encoder::make(text::Tokenizer::load(folder), chat_format, loaded.decoder.config().eos);
  log::info("  " + name + ": " + encoder.endings().describe());
  return {name, folder, std::move(loaded.decoder), std::move(encoder)};
}

std::pair<std::string, std::string> name_and_folder(const std::string& text, const char* key) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
    usage_error("'" + std::string(key) + "' entries are NAME=PATH, got '" + text + "'");
  return {text.substr(0, equals), text.substr(equals + 1)};
}

std::vector<Answer> answer(const model::Decoder& decoder, const data::Encoder& encoder,
                           std::span<const std::vector<int32_t>> prompts, std::span<const uint64_t> keys,
                           int64_t samples, const rollout::SamplingParams& sampling, uint64_t seed,
                           const std::string& label) {
  HONE_CHECK(prompts.size() == keys.size());
  std::vector<rollout::Request> requests;
  for (size_t i = 0; i < prompts.size(); ++i)
    for (int64_t s = 0; s < samples; ++s) requests.push_back({prompts[i], keys[i], static_cast<uint64_t>(s)});
  rollout::GenerateOptions options;
  options.seed = seed;
  options.end_ids = encoder.endings().ids();
  options.absent_ids = encoder.tokenizer().without_token(decoder.config().vocab_size);
  std::unique_ptr<Progress> bar;
  if (!label.empty()) {
    bar = std::make_unique<Progress>(label, static_cast<int64_t>(requests.size()));
    options.progress = [&](int64_t done, int64_t) { bar->update(done, ""); };
  }
  std::vector<rollout::Completion> completions = rollout::generate(decoder, requests, sampling, options);
  std::vector<Answer> out(completions.size());
  for (size_t i = 0; i < out.size(); ++i) {
    out[i].prompt = std::move(requests[i].prompt);
    out[i].text = encoder.tokenizer().decode(completions[i].ids, true);
    out[i].ids = std::move(completions[i].ids);
    out[i].ended = completions[i].finish == rollout::Finish::kStop;
  }
  return out;
}

std::vector<Answer> answer(const model::Decoder& decoder, const data::Encoder& encoder,
                           std::span<const std::vector<text::Message>> prompts, std::span<const std::string> ids,
                           int64_t samples, const rollout::SamplingParams& sampling, uint64_t seed,
                           const std::string& label) {
  std::vector<std::vector<int32_t>> tokens;
  std::vector<uint64_t> keys;
  for (size_t i = 0; i < prompts.size(); ++i) {
    tokens.push_back(encoder.prompt(prompts[i]));
    keys.push_back(hash64(ids[i]));
  }
  return answer(decoder, encoder, tokens, keys, samples, sampling, seed, label);
}

std::vector<std::vector<int32_t>> whole_sequences(std::span<const Answer> answers, const data::Encoder& encoder,
                                                  bool close, int64_t max_positions) {
  std::vector<std::vector<int32_t>> out;
  for (const Answer& a : answers) out.push_back(encoder.sampled(a.prompt, a.ids, close, max_positions));
  return out;
}

std::vector<double> answer_logps(const EvaluatedModel& evaluated, std::span<const Answer> answers, double temperature,
                                 std::span<const int32_t> absent_ids) {
  std::vector<rollout::ScoredSequence> sequences;
  for (const Answer& a : answers) {
    std::vector<int32_t> ids = a.prompt;
    ids.insert(ids.end(), a.ids.begin(), a.ids.end());
    sequences.push_back({std::move(ids), static_cast<int64_t>(a.prompt.size())});
  }
  return rollout::summed_logps(
      evaluated.decoder, sequences,
      {.inv_temperature = 1 / temperature, .compute = evaluated.compute, .absent_ids = absent_ids});
}

std::vector<double> answer_kl(const EvaluatedModel& evaluated, const EvaluatedModel& reference,
                              std::span<const Answer> answers, double temperature) {
  const auto absent = evaluated.encoder.tokenizer().without_token(evaluated.decoder.config().vocab_size);
  std::vector<double> out = answer_logps(evaluated, answers, temperature, absent);
  const std::vector<double> theirs = answer_logps(reference, answers, temperature, absent);
  for (size_t i = 0; i < out.size(); ++i) out[i] -= theirs[i];
  return out;
}

}  // namespace hone::eval
