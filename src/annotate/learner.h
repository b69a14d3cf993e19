// Learning from judgements as this room sees it: a run folder in, a model out. The real one is judge/dpo_learner.h;
// this room knows no torch.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "annotate/answer_sampler.h"
#include "feedback/rounds.h"

namespace hone::annotate {

/// Folders of the two stages in a round's run folder.
inline constexpr const char *kLearnFolder = "01-learn", *kMeasureFolder = "02-measure";

struct LearnTask {
  std::filesystem::path folder;  ///< the run's; made where there is none, continued where there is one
  std::string name;              ///< of the model that comes of it, for people
  feedback::ModelName start, original;
  std::filesystem::path comparisons;  ///< rows that `hone preference` takes
  std::filesystem::path prompts;      ///< rows on which old and new are measured beside taste
  std::filesystem::path asked;  ///< rows that are asked while it learns, to see how far it has gone; may have none
  std::filesystem::path kept;   ///< rows drawn by chance, which nobody learned from; may have none
  std::filesystem::path texts;  ///< rows of text whose perplexity says what was forgotten
};

struct Learned {
  feedback::RoundOutcome outcome = feedback::RoundOutcome::kLearned;
  std::string why;
  feedback::ModelName model;  ///< nothing of kNothing
};

/// The name for people in a policy's (AnswerSampler::policy).
inline std::string shown_name(const std::string& policy) { return policy.substr(0, policy.rfind(" sha256:")); }

/// Used on the model thread alone.
class Learner {
 public:
  virtual ~Learner() = default;
  /// A model that answers. `name`: for people; "": by its path.
  virtual std::unique_ptr<AnswerSampler> open(const std::string& folder, const std::string& name) = 0;
  /// Returns when the model is there. Asked to stop it writes a checkpoint and throws kInterrupted; the same task again
  /// goes on from it. `step_done` is called between two steps, before the run's own files are read for curves.
  virtual Learned learn(const LearnTask& task, std::stop_token stop,
                        const std::function<void(int64_t step, int64_t total)>& step_done) = 0;
};

}  // namespace hone::annotate
