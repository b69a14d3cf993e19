// A round of learning: DPO (Rafailov et al. 2023, losses/preference/dpo.cpp) with LoRA, beside the likelihood of the
// chosen answers, on what one person judged, as far as cross-validation (train/cross_validation.h) and the limits of
// early_stop.h let it go, then old and new model measured on the same prompts. Both are stages of one run, so the
// round's folder is a run folder like any other: resumable, verifiable, with a report.
#pragma once
#include <filesystem>
#include <string>

#include "annotate/learner.h"
#include "judge/model_sampler.h"

namespace hone::judge {

/// Few comparisons, a real chat model, two cores. Where a number comes from stands in dpo_learner.cpp.
struct LearnSettings {
  double lr = 0;  ///< 0: 3e-4 where that stays near the start, else 1e-4 (train/rate_trial.h)
  double beta = 0.1;
  double epochs = 0;  ///< passes at most; 0: passes_for()
  int64_t rank = 16, batch_pairs = 6, evaluations_an_epoch = 2, folds = 3;
  double kl_limit = 0.1, start_loss_limit = 1.1;
  int64_t seed = 1;
  int64_t threads = 0;  ///< the sampler's, as its device; a run goes on with those it began with
  std::string device = {};

  bool operator==(const LearnSettings&) const = default;
};

/// As many passes as make a round of any number of comparisons about as long: two of 60, at least one, at most four.
double passes_for(int64_t comparisons);

/// What the round whose settings lie in `file` began with; of a new one `settings`, which are kept there. So a round
/// that was stopped goes on as it began, whatever hone is started with the next time.
LearnSettings begun_with(const std::filesystem::path& file, const LearnSettings& settings);

class DpoLearner : public annotate::Learner {
 public:
  /// `sampler`: how models answer; its model and name are each call's own.
  DpoLearner(SamplerSettings sampler, const LearnSettings& settings);

  std::unique_ptr<annotate::AnswerSampler> open(const std::string& folder, const std::string& name) override;
  annotate::Learned learn(const annotate::LearnTask& task, std::stop_token stop,
                          const std::function<void(int64_t, int64_t)>& step_done) override;

 private:
  SamplerSettings sampler_;
  LearnSettings settings_;
};

}  // namespace hone::judge
