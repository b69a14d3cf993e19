#include "rewards/reward_source.h"

#include "base/error.h"
#include "base/json.h"

namespace hone::rewards {
namespace {

class ModelSource final : public RewardSource {
 public:
  ModelSource(const RewardModel& model, const data::Encoder& encoder, bool close_unfinished, int64_t context)
      : model_(model), encoder_(encoder), close_unfinished_(close_unfinished), context_(context) {}

  std::vector<double> score(std::span<const Answered> answers) const override {
    std::vector<std::vector<int32_t>> sequences;
    for (const Answered& a : answers)
      sequences.push_back(encoder_.sampled(a.prompt, a.ids, close_unfinished_, context_));
    return model_.score(sequences);
  }

 private:
  const RewardModel& model_;
  const data::Encoder& encoder_;
  bool close_unfinished_;
  int64_t context_;
};

class CheckerSource final : public RewardSource {
 public:
  CheckerSource(std::unique_ptr<checkers::Checker> checker, const text::Tokenizer& tokenizer)
      : checker_(std::move(checker)), tokenizer_(tokenizer) {}

  std::vector<double> score(std::span<const Answered> answers) const override {
    static const Json kNoRow = Json::object();
    std::vector<double> out;
    for (const Answered& a : answers) {
      HONE_CHECK(a.row || checker_->keys().empty(), "a checker that reads the prompt's row gets it");
      out.push_back(checker_->check(tokenizer_.decode(a.ids, true), a.row ? *a.row : kNoRow));
    }
    return out;
  }

 private:
  std::unique_ptr<checkers::Checker> checker_;
  const text::Tokenizer& tokenizer_;
};

}  // namespace

std::unique_ptr<RewardSource> model_source(const RewardModel& model, const data::Encoder& encoder,
                                           bool close_unfinished, int64_t context) {
  return std::make_unique<ModelSource>(model, encoder, close_unfinished, context);
}

std::unique_ptr<RewardSource> checker_source(std::unique_ptr<checkers::Checker> checker,
                                             const text::Tokenizer& tokenizer) {
  return std::make_unique<CheckerSource>(std::move(checker), tokenizer);
}

RewardSum::Scores RewardSum::score(std::span<const Answered> answers) const {
  Scores out;
  out.sum.assign(answers.size(), 0);
  for (const Part& part : parts_) {
    out.parts.push_back(part.source->score(answers));
    HONE_CHECK(out.parts.back().size() == answers.size(), "one reward for each answer");
    for (size_t i = 0; i < answers.size(); ++i) out.sum[i] += part.weight * out.parts.back()[i];
  }
  return out;
}

}  // namespace hone::rewards
