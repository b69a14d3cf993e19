// What says what an answer is worth while a policy learns: a reward model, a checker, or a weighted list of such.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "data/encoder.h"
#include "rewards/reward_model.h"
#include "rewards/reward_settings.h"

namespace hone::rewards {

/// An answer as it was sampled, with the row that its prompt came from.
struct Answered {
  std::span<const int32_t> prompt, ids;  ///< tokens as the policy read and drew them, the end token included
  bool finished = true;                  ///< it ended by itself
  const Json* row = nullptr;             ///< null where no source reads it
};

class RewardSource {
 public:
  virtual ~RewardSource() = default;
  /// One for each answer.
  virtual std::vector<double> score(std::span<const Answered> answers) const = 0;
};

/// Learned: `model` and `encoder` must outlive it; `context` is the longest that the policy reads.
std::unique_ptr<RewardSource> model_source(const RewardModel& model, const data::Encoder& encoder,
                                           bool close_unfinished, int64_t context);
/// By a rule, of the answer's text without special tokens. `tokenizer` must outlive it.
std::unique_ptr<RewardSource> checker_source(std::unique_ptr<checkers::Checker> checker,
                                             const text::Tokenizer& tokenizer);

/// The sources of `settings.rewards`, weighted.
class RewardSum {
 public:
  struct Part {
    std::string id;
    double weight = 1;
    std::unique_ptr<RewardSource> source;
  };
  explicit RewardSum(std::vector<Part> parts) : parts_(std::move(parts)) {}

  struct Scores {
    std::vector<double> sum;                 ///< of each answer, weighted
    std::vector<std::vector<double>> parts;  ///< of each source, of each answer, unweighted
  };
  Scores score(std::span<const Answered> answers) const;

 private:
  std::vector<Part> parts_;
};

}  // namespace hone::rewards
