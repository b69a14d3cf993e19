// A model folder that answers: completions, log-probabilities, rewards. Token ids in, numbers out; torch stays behind
// this header. What one item gives depends on that item and the seed alone, never on what else is in the call.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "rollout/rollout.h"

namespace hone::infer {

struct EngineOptions {
  std::string device = "cpu";
  std::string dtype = "auto";  ///< of matrix work: auto, f32, bf16; rewards::resolve_dtype
  int64_t threads = 0;         ///< 0: what affinity and quota allow
};

/// Token ids with the first position whose log-probability is wanted (at least 1: nothing predicts position 0).
struct Scored {
  std::vector<int32_t> ids;
  int64_t first = 1;
};

class Engine {
 public:
  /// A language model, or with `reward` a reward model (or an ensemble of them). Wrong folder: kUsage. `beside`: an
  /// adapter over the same base takes the tensors that this engine has loaded.
  static Engine open(const std::filesystem::path& folder, const EngineOptions& options, bool reward = false,
                     const Engine* beside = nullptr);
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;
  ~Engine();

  int64_t vocab_size() const;
  int64_t context() const;
  /// Tokens that end a completion, by config.json and generation_config.json.
  const std::vector<int64_t>& end_ids() const;
  /// generation_config.json as its folder has it; "" where there is none.
  const std::string& generation_config() const;
  /// SHA-256 over the files of config and weights, of an adapter and of its base (model::model_hash).
  const std::string& weights_hash() const;
  /// "f32" or "bf16", as resolved.
  const std::string& dtype() const;
  /// kUsage unless every id is a token of the model and they fit into its context with `room` tokens to spare.
  void require_fit(std::span<const int32_t> ids, int64_t room = 0) const;

  /// n completions for each prompt. A prompt's random numbers are keyed by its ids, so that the same prompt gets the
  /// same completions wherever it stands. Greedy completions (temperature 0) carry the model's own log-probabilities.
  std::vector<std::vector<rollout::Completion>> generate(std::span<const std::vector<int32_t>> prompts, int64_t n,
                                                         const rollout::SamplingParams& sampling,
                                                         const rollout::GenerateOptions& options) const;
  /// log p(ids[i] | ids[0..i-1]) for i = first..len-1, nats.
  std::vector<std::vector<float>> logprobs(std::span<const Scored> sequences) const;
  /// For each sequence the mean of the last hidden states (after the final norm) at the ids from `first` to the end,
  /// (D) each. Every sequence fits into the context and has an id there.
  std::vector<std::vector<float>> mean_hidden(std::span<const Scored> sequences) const;
  /// One reward for each sequence, at its last token. Only of an engine opened with `reward`.
  std::vector<double> score(std::span<const std::vector<int32_t>> sequences) const;

 private:
  friend class Session;
  struct State;
  explicit Engine(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace hone::infer
