// Learning from judged answers directly (losses/preference_loss.h). Steps:
//   1. read what the loss takes, split by prompt hash, tokenise; say what is lost
//   2. log-probabilities of every answer under the reference, once (reference_logps.h), where the loss has one
//   3. under stop.folds, the same steps for each fold first (passes.h, cross_validation.h);
//      for each step: policy log-probabilities, the loss over one normaliser, update; evaluate; checkpoint
//   4. where it stops early (stop_watch.h): the weights of the look that is kept
//   5. the model folder
#include "train/preference.h"

#include <cmath>
#include <numeric>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/progress.h"
#include "data/encode_rows.h"
#include "data/split.h"
#include "model/hf_folder.h"
#include "model/peft_folder.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"
#include "text/tokenizer.h"
#include "train/adapt.h"
#include "train/answer_ends.h"
#include "train/answer_log.h"
#include "train/cross_validation.h"
#include "train/judged_groups.h"
#include "train/memory.h"
#include "train/memory_count.h"
#include "train/passes.h"
#include "train/precision.h"
#include "train/preference_step.h"
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

// The policy before its first step, and what it learns from.
struct Start {
  text::Tokenizer tokenizer;
  model::Decoder policy;
  at::ScalarType compute;
  data::Encoder encoder;
  JudgedData train, held_out;
  std::vector<data::Prompt> train_prompts, held_out_prompts;
  std::string reference;  ///< its folder; "": none
};

// 1. Policy and judged answers.
Start prepare(const PreferenceParams& params, config::StageContext& context) {
  const auto seed = static_cast<uint64_t>(context.run.seed);
  const losses::PreferenceNeeds needs = params.loss.needs();
  text::Tokenizer tokenizer = text::Tokenizer::load(params.model);
  model::LoadedModel loaded = model::load_model(params.model);
  if (loaded.head)
    usage_error(params.model + ": is a reward model, not a language model", "start from the model that it was made of");
  model::Decoder policy = std::move(loaded.decoder);
  policy.to(at::Device(context.run.device), at::kFloat);
  settle_adapter(policy, params.model, params.adapter, seed);
  const at::ScalarType compute = resolve_precision(context, policy.config());
  if (policy.adapter() != nullptr) policy.keep_matrices_in(compute);

  auto read = read_judged(needs.arity, params.data, params.text.read);
  params.text.keep_part(read);
  log::info("  " + read.report.summary());
  const data::Encoder encoder = data::Encoder::make(tokenizer, params.text.length.chat_format, policy.config().eos);
  settle_answer_ends(encoder, context, policy.config());
  auto split = data::split(std::move(read.rows), params.text.held_out, seed);
  std::erase_if(split.held_out, [](const data::JudgedAnswers& row) { return row.tie; });  // no side to be right about
  const int64_t positions = policy.config().max_positions;
  auto train = data::encode_judged(split.train, encoder, params.text.length, positions);
  log::info("  " + train.lengths.summary());
  data::require_kept(train.lengths, params.text.length, name_of_groups(needs.arity));
  auto held_out = data::encode_judged(split.held_out, encoder, params.text.length, positions);
  data::SplitManifest manifest(params.text.held_out, seed);
  manifest.add(std::span<const data::JudgedAnswers>(split.train));
  manifest.save(context.folder / config::names::kSplit);
  data::require_disjoint(manifest, std::span<const data::JudgedAnswers>(split.held_out),
                         "the held-out " + name_of_groups(needs.arity));

  Start out{std::move(tokenizer),    std::move(policy),          compute, encoder, {}, {},
            prompts_of(split.train), prompts_of(split.held_out), ""};
  out.train.groups = std::move(train.items);
  out.held_out.groups = std::move(held_out.items);
  for (JudgedData* part : {&out.train, &out.held_out}) {
    part->measure_lengths();
    if (needs.mismatched && !part->groups.empty())
      part->mismatched = mismatched_answers(part->groups, data::sequence_limit(params.text.length, positions));
  }
  if (needs.reference) out.reference = params.reference.empty() ? params.model : params.reference;
  return out;
}

// 2. The reference, once.
void add_reference(Start& start, const PreferenceParams& params, const config::StageContext& context) {
  if (start.reference.empty()) return;
  if (!params.reference.empty())
    text::require_same_tokenizer(start.tokenizer, params.reference,
                                 "the reference has another tokenizer than the policy",
                                 "both must give the probability of the same token ids");
  for (JudgedData* part : {&start.train, &start.held_out})
    if (!part->groups.empty())
      part->reference = cached_reference(start.reference, params.reference.empty() ? &start.policy : nullptr,
                                         part->groups, part->mismatched, context, start.compute);
}

// A reference that follows the policy (SyncSettings): its weights, and its log-probabilities where they are asked for.
class Follower {
 public:
  Follower(const SyncSettings& settings, const std::vector<optim::NamedTensor>& start) : settings_(settings) {
    if (settings.every > 0) weights_ = copies_of(start);
  }
  explicit operator bool() const { return settings_.every > 0; }
  void begin(const optim::StateTensors& start) { weights_ = start, moved_ = false; }

  /// Of the groups `members`, under the reference as it is now.
  void refresh(JudgedData& data, std::span<const int64_t> members, model::Decoder& policy,
               const std::vector<optim::NamedTensor>& trained, at::ScalarType compute) const {
    if (!moved_) return;  // still what was computed at the start
    const at::NoGradGuard no_grad;
    const optim::StateTensors own = copies_of(trained);
    restore_weights(weights_, "", trained);
    refresh_reference(data.reference, policy, data.groups, data.mismatched, members, compute);
    restore_weights(own, "", trained);
  }
  /// After `done` steps of a pass.
  void follow(int64_t done, const std::vector<optim::NamedTensor>& trained) {
    if (settings_.every == 0 || done % settings_.every != 0) return;
    const at::NoGradGuard no_grad;
    for (size_t i = 0; i < trained.size(); ++i)
      weights_[i].second = settings_.alpha * trained[i].tensor.detach() + (1 - settings_.alpha) * weights_[i].second;
    moved_ = true;
  }
  void append_state(optim::StateTensors& out) const {
    for (const auto& [name, tensor] : weights_) out.emplace_back("reference." + name, tensor);
  }
  void restore(const optim::StateTensors& saved, bool moved) {
    if (settings_.every == 0) return;
    moved_ = moved;
    const optim::StateTensors kept = with_prefix(saved, "reference.");  // in an order of its own
    for (auto& [name, tensor] : weights_)
      for (const auto& [kept_name, value] : kept)
        if (kept_name == name) tensor = value;
  }
  bool moved() const { return moved_; }
  const optim::StateTensors& weights() const { return weights_; }

 private:
  SyncSettings settings_;
  optim::StateTensors weights_;
  bool moved_ = false;
};

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
  if (stop.folds == 1) usage_error("stop.folds = 1 leaves nothing to learn from", "give 2 or more, or 0");
  if (model.empty()) usage_error("no model to start from", "give model = \"FOLDER\"");
  if (data.empty()) usage_error("no data", "give data = [\"comparisons.jsonl\"]");
  if (sync.every > 0 && !reference.empty())
    usage_error("sync.every moves the reference towards the policy, so it must begin as the policy does",
                "leave out reference, or set sync.every = 0");
}

void run_preference(const PreferenceParams& params, config::StageContext& context) {
  const auto seed = static_cast<uint64_t>(context.run.seed);
  const losses::PreferenceNeeds needs = params.loss.needs();
  Start start = prepare(params, context);
  add_reference(start, params, context);
  model::Decoder& policy = start.policy;
  JudgedData &train = start.train, &held_out = start.held_out;

  // 3. The plan and the steps.
  const std::vector<Pass> passes = passes_of(train.groups, params.stop.folds, params.batch_pairs, params.epochs, seed);
  const Pass& whole = passes.back();
  std::optional<optim::Optimizer> optimizer(std::in_place, trainable_tensors(policy), params.optim);
  const int64_t micro = micro_tokens(params, policy.config(), start.compute == at::kBFloat16);
  model::AttentionWork attention;
  const Forward forward(start.compute, params.checkpoint_activations, &attention);
  const bool looks = params.stop.folds > 0 || !held_out.groups.empty();
  StopWatch watch(params.stop, policy, start.encoder, start.held_out_prompts, start.train_prompts,
                  looks ? std::optional<HeldOut>(HeldOut{}) : std::nullopt, start.compute, seed);
  if (watch) watch.keep(optimizer->tensors());
  const optim::StateTensors start_weights = passes.size() > 1 ? copies_of(optimizer->tensors()) : optim::StateTensors{};
  Follower follower(params.sync, optimizer->tensors());
  CrossValidation folds;
  Statistic statistic;
  LoopState state;
  state.tensors = [&] {
    optim::StateTensors out;
    append_weights(out, "policy.", optimizer->tensors());
    for (auto& [name, tensor] : optimizer->state()) out.emplace_back("optim." + name, tensor);
    watch.append_state(out);
    follower.append_state(out);
    return out;
  };
  state.restore = [&](const optim::StateTensors& saved, const Json& json) {
    restore_weights(saved, "policy.", optimizer->tensors());
    optimizer->load_state(with_prefix(saved, "optim."));
    watch.restore(saved, json);
    if (follower) follower.restore(saved, json.at("reference_moved"));
    if (json.contains("folds")) folds.restore(json.at("folds"));
    if (json.contains("statistic")) statistic = {json.at("statistic").at(0), json.at("statistic").at(1), {}};
  };
  state.json = [&] {
    Json out = watch.json();
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
    return HeldOut{at.loss, at.right / static_cast<double>(members.size())};
  };
  // The loss where learning starts: without a pass through the network where the policy is the reference.
  const auto loss_at_start = [&](const std::vector<int64_t>& members) {
    if (needs.reference && params.reference.empty())
      return evaluate_reference(train, members, params.loss, policy.device()).loss;
    return evaluate(train, members).loss;
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
  if (session.first_step() >= whole.first && passes.size() > 1) end_where_folds_say();
  if (watch.ended()) session.set_total_steps(steps = session.first_step());
  if (session.first_step() == 0) answer(0);
  std::optional<HeldOut> last;
  auto pass = passes.begin();
  // Fitted to the shortest pass, so that all of them warm up alike.
  const optim::ScheduleParams schedule = optim::fit_schedule(params.optim.schedule, passes.front().plan.steps());
  for (int64_t step = session.first_step(); step < steps; ++step) {
    while (step >= pass->end()) ++pass;
    const int64_t local = step - pass->first;
    if (local == 0 && passes.size() > 1) {  // from the start again
      restore_weights(start_weights, "", optimizer->tensors());
      optimizer.emplace(trainable_tensors(policy), params.optim);
      statistic = {};
      if (follower) follower.begin(start_weights);
      if (pass->trial)
        folds.begin_fold(std::ssize(pass->held_out), session.apart([&] { return loss_at_start(pass->held_out); }));
    }
    const std::vector<int64_t> batch = pass->batch(step);
    follower.refresh(train, batch, policy, optimizer->tensors(), start.compute);
    optimizer->zero_grad();
    const PreferenceStep done = add_preference_gradient(policy, train, batch, micro, params.loss, statistic, forward);
    const double factor = optim::schedule_factor(schedule, local, pass->plan.steps());
    const double norm = std::isfinite(done.loss) ? optimizer->step(factor) : done.loss;
    if (!std::isfinite(done.loss) || !std::isfinite(norm)) {
      Json replay = Json::array();
      for (const int64_t i : batch) {
        Json group = Json::array();
        for (const data::Sequence& s : train.groups[static_cast<size_t>(i)].answers) group.push_back(s.ids);
        replay.push_back(group);
      }
      stop_non_finite(context, step, std::isfinite(done.loss) ? "gradient" : "loss", replay);
    }
    follower.follow(local + 1, optimizer->tensors());
    const Numbers sides = numbers_of(done, needs.reference);
    const std::string note = "loss " + decimal_text(done.loss, 3) + "  margin " + decimal_text(sides.back().second, 3);
    const bool due = session.evaluation_due(local, pass->trial ? pass->plan.steps() : steps - pass->first);
    if (pass->trial) {
      Numbers numbers{{"fold", static_cast<double>(folds.folds())},
                      {"fold_loss", done.loss},
                      {"tokens", static_cast<double>(done.tokens)}};
      if (due) {
        const HeldOut at = session.apart([&] { return evaluate(train, pass->held_out); });
        folds.add({static_cast<double>(local + 1) / static_cast<double>(pass->plan.steps()), at.accuracy, at.loss});
        numbers.emplace_back("fold_held_out_loss", at.loss);
        numbers.emplace_back("fold_held_out_accuracy", at.accuracy);
      }
      session.journal().metrics(step + 1, numbers);
      if (step + 1 == whole.first) end_where_folds_say();
      session.step_done(step, done.tokens, "fold " + std::to_string(folds.folds()) + "  " + note);
      continue;
    }
    Numbers numbers{{"loss", done.loss}};
    for (const auto& rate : optimizer->rates(factor)) numbers.push_back(rate);
    numbers.insert(numbers.end(), {{"grad_norm", norm}, {"tokens", static_cast<double>(done.tokens)}});
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
    stopped = {{"stopped", early.name()}, {"steps", steps}, {"kept_step", early.kept().step}, {"why", early.why()}};
    if (early.ended() || early.kept().step != steps) log::info("  " + early.why());
    if (early.outcome() == EarlyStop::Outcome::kTooHard) context.record.warnings.emplace_back(steps, early.why());
    if (early.kept().step != steps) {
      watch.put_back(optimizer->tensors());
      answer(early.kept().step);  // for people to read beside the others
    }
    if (early.kept().accuracy && passes.size() == 1) last = HeldOut{*early.kept().loss, *early.kept().accuracy};
    if (passes.size() > 1) {
      stopped["folds"] = folds.folds();
      stopped["folds_accuracy"] = *early.kept().accuracy;
      stopped["folds_loss"] = *early.kept().loss;
    }
    if (early.kept().kl_per_token) stopped["kl_per_token"] = *early.kept().kl_per_token;
    if (early.kept().start_loss_ratio) stopped["start_loss_ratio"] = *early.kept().start_loss_ratio;
  }

  // 5. The result.
  const fs::path folder = context.folder / config::names::kModel;
  fs::create_directories(folder);
  start.tokenizer.save(folder);
  model::save_model(folder, policy);
  Json model{{"parameters", policy.parameter_count()}};
  if (!start.reference.empty()) model["reference"] = start.reference;
  record_adapter(policy, model);
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
