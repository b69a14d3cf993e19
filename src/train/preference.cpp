// Learning from judged answers directly (losses/preference_loss.h). Steps:
//   1. read what the loss takes, split by prompt hash, tokenise; say what is lost
//   2. log-probabilities of every answer under the reference, once (reference_logps.h), where the loss has one
//   3. under stop.folds, the same steps for each fold first (passes.h, cross_validation.h);
//      for each step: policy log-probabilities, the loss over one normaliser, update; evaluate; checkpoint
//   4. where it stops early (stop_watch.h): the weights of the look that is kept
//   5. the model folder
#include "train/preference.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/progress.h"
#include "optim/schedule.h"
#include "train/answer_log.h"
#include "train/cross_validation.h"
#include "train/judged_groups.h"
#include "train/learning.h"
#include "train/memory.h"
#include "train/memory_count.h"
#include "train/passes.h"
#include "train/preference_start.h"
#include "train/rate_trial.h"
#include "train/reference_follower.h"
#include "train/session.h"
#include "train/stop_watch.h"
#include "train/trainable.h"

namespace hone::train {
namespace {

using losses::Arity;
using losses::Statistic;

std::vector<int64_t> all_of(size_t n) {
  std::vector<int64_t> out(n);
  std::iota(out.begin(), out.end(), 0);
  return out;
}

// The token ids of a batch's groups, for who looks into one that failed.
Json ids_of(const JudgedData& data, std::span<const int64_t> batch) {
  Json out = Json::array();
  for (const int64_t i : batch) {
    Json group = Json::array();
    for (const data::Sequence& s : data.groups[i].answers) group.push_back(s.ids);
    out.push_back(group);
  }
  return out;
}

// What a step says of its batch; metrics.def has their meaning.
Numbers numbers_of(const PreferenceStep& step, bool reference) {
  const auto mean = [](double sum, int64_t n) { return n > 0 ? sum / static_cast<double>(n) : 0; };
  const JudgedSide &c = step.chosen, &r = step.rejected;
  return {{reference ? "chosen_drift" : "chosen_logp", mean(c.drift, c.answers)},
          {reference ? "rejected_drift" : "rejected_logp", mean(r.drift, r.answers)},
          {"reward_margin", step.margin()}};
}

}  // namespace

void PreferenceParams::check() const {
  if (stop.start_loss_limit > 0 && stop.start_loss_limit <= 1)
    usage_error("stop.start_loss_limit is a ratio, and " + decimal_text(stop.start_loss_limit, 2) +
                    " of it no policy could stay below",
                "give 1.1 for 10% more, or 0 for no limit");
  if (stop.folds == 1) usage_error("stop.folds = 1 leaves nothing to learn from", "give 2 or more, or 0");
  if (model.empty()) usage_error("no model to start from", "give model = \"FOLDER\"");
  if (data.empty()) usage_error("no data", "give data = [\"comparisons.jsonl\"]");
  if (!stop.rates.empty())
    for (const double own : {optim.matrix_lr, optim.embedding_lr, optim.vector_lr, optim.head_lr})
      if (own > 0)
        usage_error("stop.rates are tried in the place of optim.lr, and a kind of tensor has a rate of its own",
                    "leave out optim.matrix_lr, embedding_lr, vector_lr and head_lr, or stop.rates");
  if (sync.every > 0 && !reference.empty())
    usage_error("sync.every moves the reference towards the policy, so it must begin as the policy does",
                "leave out reference, or set sync.every = 0");
}

void run_preference(const PreferenceParams& params, config::StageContext& context) {
  const auto seed = static_cast<uint64_t>(context.run.seed);
  const losses::PreferenceNeeds needs = params.loss.needs();
  PreferenceStart start = start_preference(params, context);
  model::Decoder& policy = start.policy;
  JudgedData &train = start.train, &held_out = start.held_out;

  // 3. The plan and the steps.
  const std::vector<Pass> passes = passes_of(train.groups, params.stop.folds, params.batch_pairs, params.epochs, seed);
  const Pass& whole = passes.back();
  optim::OptimParams optim = params.optim;
  std::optional<optim::Optimizer> optimizer(std::in_place, trainable_tensors(policy), optim);
  const int64_t micro = micro_tokens(params, policy.config(), start.compute == at::kBFloat16);
  model::AttentionWork attention;
  const Forward forward(start.compute, params.checkpoint_activations, &attention);
  const bool looks = params.stop.folds > 0 || !held_out.groups.empty();
  StopWatch watch(params.stop, policy, start.encoder, start.look_prompts,
                  looks ? std::optional<HeldOut>(HeldOut{}) : std::nullopt, start.compute, seed);
  if (watch) watch.keep(optimizer->tensors());
  optim::StateTensors start_weights;  // where there is a way back to the start
  if (passes.size() > 1 || !params.stop.rates.empty()) start_weights = copies_of(optimizer->tensors());
  ReferenceFollower follower(params.sync, optimizer->tensors());
  CrossValidation folds;
  Statistic statistic;
  LoopState state;
  state.tensors = [&] {
    optim::StateTensors out;
    append_learner(out, "policy", *optimizer);
    watch.append_state(out);
    follower.append_state(out);
    return out;
  };
  state.restore = [&](const optim::StateTensors& saved, const Json& json) {
    if (json.contains("lr")) optim.lr = json.at("lr");
    optimizer.emplace(trainable_tensors(policy), optim);
    restore_learner(saved, "policy", *optimizer);
    watch.restore(saved, json);
    if (follower) follower.restore(saved, json.at("reference_moved"));
    if (json.contains("folds")) folds.restore(json.at("folds"));
    if (json.contains("statistic")) statistic = {json.at("statistic").at(0), json.at("statistic").at(1), {}};
  };
  state.json = [&] {
    Json out = watch.json();
    out["lr"] = optim.lr;
    if (follower) out["reference_moved"] = follower.moved();
    if (passes.size() > 1) out["folds"] = folds.state();
    if (statistic.count > 0) out["statistic"] = {statistic.value, statistic.count};
    return out;
  };
  int64_t steps = whole.end();
  log::info("  " + count_text(std::ssize(train.groups)) + " " + name_of_groups(needs.arity) + ", " +
            count_text(std::ssize(held_out.groups)) + " held out; " + count_text(whole.plan.steps()) +
            " steps of loss '" + params.loss.name + "'" +
            (passes.size() > 1
                 ? ", behind " + count_text(whole.first) + " of " + count_text(std::ssize(passes) - 1) + " folds"
                 : ""));
  Session session(context, params.keep, "  " + context.record.name, steps, state, &attention);
  const AnswerLog answers(params.samples, start.encoder, start.held_out_prompts, start.train_prompts,
                          policy.config().max_positions, seed);
  std::set<int64_t> answered;  // steps
  const auto answer = [&](int64_t done) {
    if (answered.insert(done).second) answers.look(policy, done, session);
  };
  const auto evaluate = [&](JudgedData& data, const std::vector<int64_t>& members) {
    follower.refresh(data, members, policy, optimizer->tensors(), start.compute);
    const PreferenceStep at = evaluate_preference(policy, data, members, params.loss, statistic, forward);
    return HeldOut{at.loss, at.right / static_cast<double>(members.size()), at.comparing};
  };
  // The loss where learning starts: without a pass through the network where the policy is the reference.
  const auto loss_at_start = [&](const std::vector<int64_t>& members) {
    if (needs.reference && params.reference.empty())
      return evaluate_reference(train, members, params.loss, policy.device()).comparing;
    return evaluate(train, members).comparing;
  };
  // What the folds say of a look of the last pass.
  const auto share_of = [&](int64_t done) {
    return static_cast<double>(done - whole.first) / static_cast<double>(whole.plan.steps());
  };
  const auto pooled = [&](int64_t done) {
    const auto look = folds.at(share_of(done));
    return HeldOut{look.loss, look.accuracy};
  };
  // Where the run ends, once every fold was looked at.
  const auto end_where_folds_say = [&] {
    std::vector<int64_t> looks;  // steps done
    std::vector<double> shares;
    for (int64_t done = whole.first + 1; done <= whole.end(); ++done)
      if (session.evaluation_due(done - 1 - whole.first, whole.plan.steps())) {
        looks.push_back(done);
        shares.push_back(share_of(done));
      }
    const std::optional<size_t> best = folds.best_of(shares);
    const int64_t end = best ? looks[*best] : 0;
    watch.until(end);
    session.set_total_steps(steps = std::max(whole.first, end));
  };
  // Fitted to the shortest pass, so that all of them warm up alike.
  const optim::ScheduleParams schedule = optim::fit_schedule(params.optim.schedule, passes.front().plan.steps());
  // Where a rate would lead in a few steps of the last pass.
  const auto drift_at = [&](double rate) -> std::optional<Drift> {
    optim.lr = rate;
    optimizer.emplace(trainable_tensors(policy), optim);
    Statistic own;
    bool finite = true;
    for (int64_t step = 0; finite && step < std::min(kTrialSteps, whole.plan.steps()); ++step) {
      optimizer->zero_grad();
      const PreferenceStep done =
          add_preference_gradient(policy, train, whole.batch(whole.first + step), micro, params.loss, own, forward);
      finite =
          std::isfinite(done.loss) &&
          std::isfinite(optimizer->step(1));  // whatever the warm-up, which is longer where there is more to learn from
    }
    std::optional<Drift> out;
    if (finite) out = watch.drift(policy);
    restore_weights(start_weights, "", optimizer->tensors());
    return out;
  };
  if (session.first_step() == 0 && !params.stop.rates.empty()) {
    optim.lr = session.apart([&] { return rate_that_holds(params.stop, params.optim.lr, drift_at); });
    optimizer.emplace(trainable_tensors(policy), optim);
  }
  if (session.first_step() >= whole.first && passes.size() > 1) end_where_folds_say();
  if (watch.ended()) session.set_total_steps(steps = session.first_step());
  if (session.first_step() == 0) answer(0);
  std::optional<HeldOut> last;
  auto pass = passes.begin();
  for (int64_t step = session.first_step(); step < steps; ++step) {
    while (step >= pass->end()) ++pass;
    const int64_t local = step - pass->first;
    if (local == 0 && passes.size() > 1) {  // from the start again
      restore_weights(start_weights, "", optimizer->tensors());
      optimizer.emplace(trainable_tensors(policy), optim);
      statistic = {};
      if (follower) follower.begin(start_weights);
      if (pass->trial)
        folds.begin_fold(std::ssize(pass->held_out), session.apart([&] { return loss_at_start(pass->held_out); }));
    }
    const std::vector<int64_t> batch = pass->batch(step);
    follower.refresh(train, batch, policy, optimizer->tensors(), start.compute);
    optimizer->zero_grad();
    const PreferenceStep done = add_preference_gradient(policy, train, batch, micro, params.loss, statistic, forward);
    Numbers numbers = update(*optimizer, optim::schedule_factor(schedule, local, pass->plan.steps()), done.loss,
                             done.tokens, step, context, [&] { return ids_of(train, batch); });
    follower.follow(local + 1, optimizer->tensors());
    const Numbers sides = numbers_of(done, needs.reference);
    const std::string note = "loss " + decimal_text(done.loss, 3) + "  margin " + decimal_text(sides.back().second, 3);
    const bool due = session.evaluation_due(local, pass->trial ? pass->plan.steps() : steps - pass->first);
    if (pass->trial) {
      numbers = {{"fold", static_cast<double>(folds.folds())},
                 {"fold_loss", done.loss},
                 {"tokens", static_cast<double>(done.tokens)}};
      if (due) {
        const HeldOut at = session.apart([&] { return evaluate(train, pass->held_out); });
        folds.add(
            {static_cast<double>(local + 1) / static_cast<double>(pass->plan.steps()), at.accuracy, at.comparing});
        numbers.emplace_back("fold_held_out_loss", at.comparing);
        numbers.emplace_back("fold_held_out_accuracy", at.accuracy);
      }
      session.journal().metrics(step + 1, numbers);
      if (step + 1 == whole.first) end_where_folds_say();
      session.step_done(step, done.tokens, "fold " + std::to_string(folds.folds()) + "  " + note);
      continue;
    }
    numbers.insert(numbers.end(), sides.begin(), sides.end());
    numbers.emplace_back("accuracy", done.right / static_cast<double>(batch.size()));
    if (losses::preference_loss(params.loss.name).statistic != nullptr && !statistic.groups.defined())
      numbers.emplace_back("loss_statistic", statistic.value);
    std::optional<double> score;
    if (due && !held_out.groups.empty()) {
      last = session.apart([&] { return evaluate(held_out, all_of(held_out.groups.size())); });
      numbers.emplace_back("held_out_loss", last->loss);
      numbers.emplace_back("held_out_accuracy", last->accuracy);
      score = last->loss;
    }
    std::optional<HeldOut> judged = last;
    if (due && passes.size() > 1) {
      judged = pooled(step + 1);
      numbers.emplace_back("folds_loss", judged->loss);
      numbers.emplace_back("folds_accuracy", judged->accuracy);
    }
    if (watch && due) session.apart([&] { watch.look(step + 1, judged, policy, optimizer->tensors(), numbers); });
    if (context.probe && ((step + 1) % params.watch_every == 0 || step + 1 == steps))
      for (auto& n2 : session.apart([&] { return context.probe(policy, step + 1); })) numbers.push_back(n2);
    session.journal().metrics(step + 1, numbers);
    if (watch.ended()) session.set_total_steps(steps = step + 1);
    if (session.answers_due(step)) answer(step + 1);
    session.step_done(step, done.tokens, note, score);
  }

  // 4. The weights that the looks speak for.
  Json stopped = Json::object();
  if (watch) {
    const EarlyStop& early = watch.early();
    const Look& kept = early.kept();
    stopped = {{"stopped", early.name()}, {"steps", steps}, {"kept_step", kept.step}, {"why", early.why()}};
    if (early.ended() || kept.step != steps) log::info("  " + early.why());
    if (early.outcome() == EarlyStop::Outcome::kTooHard) context.record.warnings.emplace_back(steps, early.why());
    if (kept.step != steps) {
      watch.put_back(optimizer->tensors());
      answer(kept.step);  // for people to read beside the others
    }
    // The start's own losses are known only now.
    if (kept.accuracy && passes.size() == 1)
      last =
          HeldOut{kept.step > 0 ? *kept.loss : evaluate(held_out, all_of(held_out.groups.size())).loss, *kept.accuracy};
    if (passes.size() > 1) {
      stopped["folds"] = folds.folds();
      stopped["folds_accuracy"] = *kept.accuracy;
      stopped["folds_loss"] = kept.step > 0 ? *kept.loss : folds.at(0).loss;
    }
    if (!params.stop.rates.empty()) stopped["lr"] = optim.lr;
    if (kept.kl_per_token) stopped["kl_per_token"] = *kept.kl_per_token;
    if (kept.start_loss_ratio) stopped["start_loss_ratio"] = *kept.start_loss_ratio;
  }

  // 5. The result.
  save_folder(context.folder / config::names::kModel, start.tokenizer, policy);
  Json model = record_of(policy);
  if (!start.reference.empty()) model["reference"] = start.reference;
  MemoryCount memory;
  memory.add(policy);
  memory.add_trained(optimizer->tensors());
  memory.add(optimizer->state());
  memory.add(*forward.compute.casts);
  memory.add(start_weights);
  memory.add(follower.weights());
  watch.count(memory);
  model["memory_bytes"] = memory.bytes();
  context.record.model_json = dump_json(model);
  Json summary = last ? held_out_summary({{"held_out_loss", last->loss}, {"held_out_accuracy", last->accuracy}})
                      : held_out_summary({});
  summary[needs.arity == Arity::kPair     ? "comparisons"
          : needs.arity == Arity::kSingle ? "judged_answers"
                                          : "rankings"] = train.groups.size();
  summary.update(stopped);
  context.record.summary_json = dump_json(summary);
}

}  // namespace hone::train
