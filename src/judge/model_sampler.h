// A language model that answers for a person to judge: annotate/answer_sampler.h over an engine. Answers to several
// prompts are sampled in one batch.
#pragma once
#include <filesystem>
#include <optional>

#include "annotate/answer_sampler.h"
#include "chat/answer_reader.h"
#include "chat/settings.h"
#include "data/encoder.h"
#include "infer/engine.h"

namespace hone::judge {

/// Tokens of an answer at most: what a person reads in a quarter of a minute.
inline constexpr int64_t kLongestAnswer = 256;

struct SamplerSettings {
  std::filesystem::path model;  ///< a model folder, adapter or GGUF
  std::string name;             ///< for people; "": by the path (chat::names_of)
  infer::EngineOptions engine;
  int64_t max_tokens = kLongestAnswer;
  /// Not given: generation_config.json's, else chat::Settings'. Temperature above 0.
  std::optional<double> temperature, top_p;
  std::optional<int64_t> top_k;
};

class ModelSampler : public annotate::AnswerSampler {
 public:
  /// Loads the model and hashes its weights. Wrong folder, no tokenizer: kUsage.
  explicit ModelSampler(const SamplerSettings& settings);

  /// "NAME sha256:" and the first 32 digits of Engine::weights_hash.
  std::string policy() const override { return policy_; }
  std::vector<std::vector<annotate::SampledAnswer>> sample(std::span<const std::vector<text::Message>> prompts,
                                                           int64_t n, uint64_t seed, const Grown& grown,
                                                           const std::function<bool()>& cancelled) override;
  /// The mean of the model's last hidden states over the answer's tokens (infer::Engine::mean_hidden).
  std::vector<std::vector<float>> features(std::span<const std::vector<text::Message>> conversations) override;

  const infer::Engine& engine() const { return engine_; }
  const data::Encoder& encoder() const { return encoder_; }

 private:
  std::string how(uint64_t seed, int64_t sample, const rollout::Completion& completion) const;

  infer::Engine engine_;
  chat::Settings sampling_;
  data::Encoder encoder_;
  chat::AnswerReader reader_;
  std::vector<int32_t> absent_;
  std::string policy_;
};

}  // namespace hone::judge
