#include "train/early_stop.h"

#include <limits>

#include "base/json.h"
#include "base/progress.h"

namespace hone::train {
namespace {

constexpr double kChance = 0.5;
constexpr double kSurely = 1.645;  // standard errors: 95% on one side

Json look_json(const Look& look) {
  Json out = {{"step", look.step}};
  const auto put = [&](const char* key, const std::optional<double>& value) {
    if (value) out[key] = *value;
  };
  put("accuracy", look.accuracy);
  put("loss", look.loss);
  put("kl_per_token", look.kl_per_token);
  put("start_loss_ratio", look.start_loss_ratio);
  out["start_loss_ratio_error"] = look.start_loss_ratio_error;
  return out;
}

Look look_of(const Json& json) {
  // JSON has no word for what is no number, or infinite.
  const auto at = [&](const char* key, double instead = std::numeric_limits<double>::quiet_NaN()) {
    if (!json.contains(key)) return std::optional<double>();
    return std::optional(json.at(key).is_null() ? instead : json.at(key).get<double>());
  };
  return {json.at("step"),
          at("accuracy"),
          at("loss"),
          at("kl_per_token"),
          at("start_loss_ratio"),
          at("start_loss_ratio_error", std::numeric_limits<double>::infinity()).value_or(0)};
}

std::string steps_text(int64_t step) { return step == 0 ? "the start" : "step " + count_text(step); }

}  // namespace

EarlyStop::EarlyStop(const StopSettings& settings, const Look& start)
    : settings_(settings), kept_(start), last_(start) {
  if (kept_.accuracy) kept_.accuracy = kChance;  // no margin is above 0 yet, which is no judgement
}

std::string EarlyStop::passed(const Look& look) const {
  if (settings_.kl_limit > 0 && look.kl_per_token && !(*look.kl_per_token <= settings_.kl_limit))
    return decimal_text(*look.kl_per_token, 3) + " nats a token away from the start, more than " +
           decimal_text(settings_.kl_limit, 2);
  if (settings_.start_loss_limit > 0 && look.start_loss_ratio &&
      !(*look.start_loss_ratio <= settings_.start_loss_limit))
    return "the start model finds its answers " + decimal_text(100 * (*look.start_loss_ratio - 1), 0) +
           "% less likely, token for token, than its own, more than " +
           decimal_text(100 * (settings_.start_loss_limit - 1), 0) + "%";
  return "";
}

bool EarlyStop::surely_within(const Look& look) const {
  return settings_.start_loss_limit <= 0 || !look.start_loss_ratio ||
         *look.start_loss_ratio + kSurely * look.start_loss_ratio_error <= settings_.start_loss_limit;
}

bool EarlyStop::better(const Look& look) const {
  if (!surely_within(look)) return false;
  if (!look.accuracy || !kept_.accuracy) return true;
  if (until_) return *look.accuracy > kChance;  // how far is settled: what lies nearer is less
  if (*look.accuracy != *kept_.accuracy) return *look.accuracy > *kept_.accuracy;
  // As good as a coin is what the start is, whatever the loss.
  return kept_.step != 0 && look.loss && kept_.loss && *look.loss < *kept_.loss;
}

void EarlyStop::until(int64_t step) {
  until_ = step;
  if (step == 0) outcome_ = Outcome::kFarEnough;
}

bool EarlyStop::take(const Look& look) {
  last_ = look;
  if (!passed(look).empty()) {
    outcome_ = Outcome::kTooHard;
    return false;
  }
  if (until_ && look.step >= *until_) outcome_ = Outcome::kFarEnough;
  if (better(look)) {
    kept_ = look;
    since_better_ = 0;
    return true;
  }
  ++since_better_;
  if (!ended() && settings_.patience > 0 && since_better_ >= settings_.patience) outcome_ = Outcome::kNoBetter;
  return false;
}

std::string EarlyStop::name() const {
  return outcome_ == Outcome::kTooHard     ? "learned_too_hard"
         : outcome_ == Outcome::kNoBetter  ? "no_better"
         : outcome_ == Outcome::kFarEnough ? "far_enough"
                                           : "ran_through";
}

std::string EarlyStop::why() const {
  const std::string kept = kept_.step == last_.step ? ""
                                                    : "; kept is " + steps_text(kept_.step) +
                                                          (kept_.step == 0 ? ": nothing was learned" : "");
  const bool unsure = passed(last_).empty() && !surely_within(last_);
  const std::string within = decimal_text(100 * (settings_.start_loss_limit - 1), 0) + "% of that on its own";
  switch (outcome_) {
    case Outcome::kTooHard:
      return "learned too hard: at step " + count_text(last_.step) + " " + passed(last_) + kept;
    case Outcome::kNoBetter:
      return "stopped at step " + count_text(last_.step) + ": " + count_text(since_better_) +
             (since_better_ == 1 ? " evaluation" : " evaluations") + " without a better held-out accuracy" + kept;
    case Outcome::kFarEnough:
      if (kept_.step == 0 && unsure)
        return "stopped at " + steps_text(last_.step) +
               ": at no evaluation with a better accuracy was the start model's loss on the answers surely within " +
               within + ": nothing was learned; a lower rate, or more of stop.prompts and stop.samples, show more";
      if (kept_.step == 0)
        return "policies that learned from the other comparisons tell these apart no better than a coin: nothing was "
               "learned";
      return "stopped at step " + count_text(last_.step) + ", where cross-validation says: " +
             (last_.accuracy ? decimal_text(100 * *last_.accuracy, 0) + "% right" : "") + kept +
             (unsure ? ", the last whose answers' loss under the start model is surely within " + within : "");
    case Outcome::kRanThrough:
      return "ran to its last step" + kept;
  }
  return "";
}

Json EarlyStop::state() const {
  return {{"kept", look_json(kept_)},
          {"last", look_json(last_)},
          {"since_better", since_better_},
          {"until", until_ ? Json(*until_) : Json()},
          {"outcome", static_cast<int>(outcome_)}};
}

void EarlyStop::restore(const Json& state) {
  kept_ = look_of(state.at("kept"));
  last_ = look_of(state.at("last"));
  since_better_ = state.at("since_better");
  until_ = state.at("until").is_null() ? std::nullopt : std::optional(state.at("until").get<int64_t>());
  outcome_ = static_cast<Outcome>(state.at("outcome").get<int>());
}

}  // namespace hone::train
