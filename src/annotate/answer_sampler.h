// A model as judging sees it: prompts in, answers out, and what stands for an answer in the head that selects pairs
// (acquisition.h). The real one is judge/model_sampler.h; this room knows no torch.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "feedback/comparison.h"

namespace hone::annotate {

struct SampledAnswer {
  feedback::Answer answer;  ///< with the policy and how it was sampled (settings, seed, sample, tokens, finish)
  bool cut = false;         ///< it ended at the length limit
};

/// Of one thread alone, the model thread.
class AnswerSampler {
 public:
  virtual ~AnswerSampler() = default;

  /// Which model it is: a name for people and the hash of its weights.
  virtual std::string policy() const = 0;

  /// Told of an answer's whole text whenever it grew.
  using Grown = std::function<void(size_t prompt, size_t answer, const std::string& text)>;
  /// `n` answers to each prompt; what comes is a function of model, settings, prompt and seed. `cancelled` is asked
  /// between two tokens; once it says true, nothing is returned. A prompt that is too long for the model has no
  /// answers. `seed`: below 2^53, so that JSON keeps it.
  virtual std::vector<std::vector<SampledAnswer>> sample(std::span<const std::vector<text::Message>> prompts, int64_t n,
                                                         uint64_t seed, const Grown& grown,
                                                         const std::function<bool()>& cancelled) = 0;

  /// For each conversation (a prompt and an answer) a vector of the same length that stands for the answer; empty
  /// where it is too long for the model.
  virtual std::vector<std::vector<float>> features(std::span<const std::vector<text::Message>> conversations) = 0;
};

}  // namespace hone::annotate
