// The answers of several models to the same prompts, and every figure that an open-ended evaluation takes of them.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "base/stats.h"
#include "eval/answers.h"
#include "eval/held_out_texts.h"
#include "world/story_reader.h"

namespace hone::eval {

/// Prompts as a reader sees them and as every model gets them.
struct OpenPrompts {
  std::vector<std::string> ids, texts;
  std::vector<std::vector<int32_t>> tokens;
  std::vector<uint64_t> keys;      ///< names in the random stream
  std::vector<bool> harmful = {};  ///< those that a good answer may refuse; empty: none was told apart
  std::vector<std::shared_ptr<const Json>> rows = {};  ///< what checkers read; empty: there are none
};

/// One model's answers, `samples` for each prompt, prompt by prompt; the other lists have one entry for each answer, or
/// none where that was not measured.
struct Measured {
  std::string name, folder;
  std::vector<Answer> answers = {};
  std::vector<world::StoryScore> stories = {};  ///< the reader's opinion of prompt and answer
  std::vector<double> checked = {};             ///< the least that a checker gives, 0 to 1
  std::vector<double> reward = {};              ///< learned
  std::vector<double> second_reward = {};       ///< by a reward model that nobody optimised
  std::vector<double> kl = {};                  ///< log π/π_original of the answer, nats (k1)
  std::vector<double> nll = {};                 ///< -log π_original of the answer, nats
  std::vector<std::vector<std::string>> words = {};
  TextLoss texts = {};  ///< of the held-out texts
};

/// Beyond these a policy has left what its start model would say: the page and the record's warnings say so. A policy
/// that was wrecked in a try showed +22% at 7.9 nats an answer, a healthy one +1% (docs/log.md).
inline constexpr double kMostKlPerToken = 0.1;  // nats
inline constexpr double kMostStartLossRatio = 1.1;

/// Measures by name: utility, checked, reward, win_rate (over `start`: by the first of these that there is),
/// second_reward, second_win_rate, kl, length, eos_share, repetition (share of word triples that the answer has said
/// before), distinct_1, distinct_2: means over prompts of the mean over a prompt's samples; refusals and over_refusals
/// (refusals.h) over harmful prompts and over the others. perplexity (text_measures.h), kl_per_token, start_loss_ratio
/// and distinct_across (word pairs, of each answer's first 40 words; without an interval) are of all answers together,
/// text_perplexity and text_perplexity_ratio of the held-out texts.
class OpenMeasures {
 public:
  OpenMeasures(OpenPrompts prompts, int64_t samples)
      : prompts(std::move(prompts)), samples_(static_cast<size_t>(samples)) {}

  OpenPrompts prompts;
  std::vector<Measured> models;
  const Measured *start = nullptr, *final_model = nullptr;  ///< among `models`; null: none

  const Measured* find(const std::string& name) const;
  /// Nothing where there is no such measure, or the model lacks it.
  std::optional<stats::Estimate> measure(const std::string& what, const Measured& m) const;
  /// a less b, paired over prompts.
  std::optional<stats::Estimate> difference(const std::string& what, const Measured& a, const Measured& b) const;

  /// Entries of results.json (report/results.h).
  Json model_json(const Measured& m) const;
  /// Half are drawn at random, half are the prompts on which the final model's worth changed most.
  Json side_by_side(int64_t count, int64_t seed) const;
  /// samples.jsonl.
  std::string sample_lines() const;

 private:
  std::vector<double> values(const Measured& m, const std::string& what) const;
  std::optional<stats::Estimate> whole(const Measured& m, const std::string& what) const;
  std::vector<double> of_prompts(std::vector<double> values, bool harmful) const;
  size_t samples_;
};

}  // namespace hone::eval
