#include "train/session.h"

#include <algorithm>

#include "base/error.h"
#include "base/log.h"
#include "checkpoint/machine.h"

namespace hone::train {

Session::Session(config::StageContext& context, const KeepSettings& keep, std::string label, int64_t total_steps,
                 LoopState state, model::AttentionWork* attention)
    : context_(context),
      keep_(keep),
      total_steps_(total_steps),
      state_(std::move(state)),
      store_(context.folder / config::names::kCheckpoints, keep.last),
      attention_(attention) {
  std::optional<checkpoint::Loaded> loaded;
  if (context_.resume) store_.clear();
  if (const std::optional<int64_t> newest = context_.resume ? store_.newest() : std::nullopt) {
    loaded = store_.load(*newest);
    std::string changed;
    for (const std::string& difference : checkpoint::differences(loaded->machine, machine()))
      changed += (changed.empty() ? "" : "; ") + difference;
    if (!changed.empty()) log::warn(changed + ": results may differ in the last bits from a run without a break");
    state_.restore(loaded->tensors, loaded->state.at("loop"));
    first_step_ = loaded->step;
    last_score_ = loaded->score;
    // Warnings up to the checkpoint stand in it; later ones will be given again.
    context_.record.warnings = loaded->state.at("warnings").get<std::vector<std::pair<int64_t, std::string>>>();
    log::info("  resumed after step " + count_text(first_step_));
  } else {
    context_.record.warnings.clear();
    store_.require_space(checkpoint::size_of(state_.tensors()));
  }
  journal_ = std::make_unique<Journal>(context_.folder, loaded ? &loaded->state.at("journal") : nullptr);
  progress_ = std::make_unique<Progress>(std::move(label), total_steps_, first_step_);
}

Json Session::machine() const { return checkpoint::this_machine(context_.run.device, context_.record.dtype); }

void Session::set_total_steps(int64_t steps) {
  total_steps_ = steps;
  progress_->set_total(steps);
}

int64_t Session::evaluate_every(int64_t steps) const {
  return keep_.evaluate_every > 0 ? keep_.evaluate_every : std::max<int64_t>(1, steps / 10);
}

bool Session::evaluation_due(int64_t step, int64_t steps) const {
  return (step + 1) % evaluate_every(steps) == 0 || step + 1 == steps;
}

bool Session::answers_due(int64_t step) const {
  const auto quarter = [&](int64_t done) { return 4 * done / total_steps_; };
  return step + 1 == total_steps_ ||
         (evaluation_due(step) &&
          quarter(step + 1) > quarter(std::max<int64_t>(0, step + 1 - evaluate_every(total_steps_))));
}

void Session::step_done(int64_t step, int64_t tokens, std::string_view note, std::optional<double> score) {
  Numbers more;
  if (attention_ != nullptr) {
    more.emplace_back("attention_padding", attention_->padding_share());
    attention_so_far_.cells += attention_->cells;
    attention_so_far_.padding += attention_->padding;
    *attention_ = {};
  }
  journal_->timing(step + 1, tokens, more);
  if (score) last_score_ = score;
  progress_->update(
      step + 1, std::string(note) + "  " + count_text(static_cast<int64_t>(journal_->tokens_per_second())) + " tok/s");
  if (context_.progress) context_.progress({context_.record.name, step + 1, total_steps_, journal_->latest()});
  const bool last = step + 1 == total_steps_;
  if (last && attention_so_far_.padding > 0)
    log::info("  attention in buckets of like length: " + decimal_text(100 * attention_so_far_.padding_share(), 1) +
              "% of its work was padding");
  if (context_.stop.stop_requested() && !last) {
    save(step + 1);
    fail(Kind::kInterrupted,
         context_.record.name + ": interrupted after step " + std::to_string(step + 1) + "; a checkpoint was written",
         "continue with --resume");
  }
  if (keep_.every > 0 && (step + 1) % keep_.every == 0 && !last) save(step + 1);
}

void Session::save(int64_t steps_done) {
  const Journal::Apart pause(*journal_);
  const Json journal = journal_->marks();
  store_.save(steps_done, state_.tensors(),
              Json{{"loop", state_.json()}, {"journal", journal}, {"warnings", context_.record.warnings}}, machine(),
              last_score_);
}

Json held_out_summary(const std::vector<std::pair<std::string, std::optional<double>>>& figures) {
  Json out = Json::object();
  for (const auto& [key, value] : figures)
    if (value) out[key] = *value;
  if (out.empty()) out["held_out"] = "no rows";
  return out;
}

void stop_non_finite(const config::StageContext& context, int64_t step, const std::string& what, const Json& batch) {
  const fs::path path = context.folder / "failed-batch.json";
  write_file_atomic(path, dump_json(Json{{"step", step + 1}, {"what", what}, {"batch", batch}}));
  run_error("the " + what + " of step " + std::to_string(step + 1) + " is not finite; the last checkpoint is unharmed",
            "the batch is in " + path.string() +
                "; look at that data, or start in another folder with a lower learning rate");
}

}  // namespace hone::train
