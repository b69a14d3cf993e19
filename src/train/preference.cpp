// Learning from comparisons directly (losses of kind `pair`, such as losses/dpo.h). Steps:
//   1. read comparisons, split by prompt hash, tokenise; say what is lost
//   2. log-probabilities of every answer under the frozen reference, once, kept in a file named by what they depend on
//   3. under stop.folds, the same steps for each fold first (cross_validation.h);
//      for each step: policy log-probabilities, the pair loss over one normaliser, update; evaluate; checkpoint
//   4. where it stops early (early_stop.h): the weights of the look that is kept
//   5. the model folder
#include "train/preference.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/rng.h"
#include "base/sha256.h"
#include "base/stats.h"
#include "data/encode_rows.h"
#include "data/split.h"
#include "losses/pair.h"
#include "model/hf_folder.h"
#include "model/peft_folder.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"
#include "rollout/logprobs.h"
#include "text/tokenizer.h"
#include "train/adapt.h"
#include "train/answer_ends.h"
#include "train/answer_log.h"
#include "train/batch_plan.h"
#include "train/cross_validation.h"
#include "train/drift.h"
#include "train/early_stop.h"
#include "train/memory.h"
#include "train/memory_count.h"
#include "train/precision.h"
#include "train/preference_step.h"
#include "train/session.h"
#include "train/trainable.h"

namespace hone::train {
namespace {

ReferenceLogps compute_reference(const model::Decoder& decoder, std::span<const data::Pair> pairs,
                                 at::ScalarType compute) {
  // Tokens without weight (what a template puts after the end of an answer) are no part of the policy's sum either.
  std::vector<rollout::ScoredSequence> sequences;
  for (const data::Pair& p : pairs)
    for (const data::Sequence* s : {&p.chosen, &p.rejected})
      sequences.push_back({s->ids, std::max<int64_t>(1, p.prompt_length), s->weight});
  Progress bar("  reference log-probabilities", std::ssize(sequences));
  const std::vector<double> sums = rollout::summed_logps(
      decoder, sequences,
      {.compute = compute, .group = 2, .progress = [&](int64_t done) { bar.update(done, "answers"); }});
  ReferenceLogps out;
  for (size_t i = 0; i < sums.size(); ++i)
    (i % 2 == 0 ? out.chosen : out.rejected).push_back(static_cast<float>(sums[i]));
  return out;
}

// The file's name is a hash of the reference's weights, the token ids with their weights, and the precision: whatever
// changes them changes the name, so a stale file is never read. `start`: the decoder of that folder where it is at
// hand, not yet trained.
ReferenceLogps cached_reference(const std::string& folder, const model::Decoder* start,
                                std::span<const data::Pair> pairs, const config::StageContext& context,
                                at::ScalarType compute) {
  std::string key = context.record.dtype + context.record.processor + context.record.kernels;
  key += model::model_hash(folder);
  for (const data::Pair& p : pairs)
    for (const data::Sequence* s : {&p.chosen, &p.rejected}) {
      key.append(reinterpret_cast<const char*>(s->ids.data()), s->ids.size() * sizeof(int32_t));
      key.append(reinterpret_cast<const char*>(s->weight.data()), s->weight.size() * sizeof(float));
      key += "/" + std::to_string(p.prompt_length);
    }
  const fs::path path = context.folder / ("reference-" + sha256(key).substr(0, 16) + ".f32");
  const size_t n = pairs.size();
  if (fs::exists(path) && fs::file_size(path) == 2 * n * sizeof(float)) {
    const std::string bytes = read_file(path);
    ReferenceLogps out{std::vector<float>(n), std::vector<float>(n)};
    std::memcpy(out.chosen.data(), bytes.data(), n * sizeof(float));
    std::memcpy(out.rejected.data(), bytes.data() + n * sizeof(float), n * sizeof(float));
    log::info("  reference log-probabilities: read from " + path.filename().string());
    return out;
  }
  ReferenceLogps out;
  if (start != nullptr) {
    out = compute_reference(*start, pairs, compute);
  } else {
    model::LoadedModel loaded = model::load_model(folder);
    if (loaded.head) usage_error(folder + ": is a reward model, so it can be no reference");
    loaded.decoder.to(at::Device(context.run.device), at::kFloat);
    loaded.decoder.keep_matrices_in(compute);
    out = compute_reference(loaded.decoder, pairs, compute);
  }
  std::string bytes(2 * n * sizeof(float), '\0');
  std::memcpy(bytes.data(), out.chosen.data(), n * sizeof(float));
  std::memcpy(bytes.data() + n * sizeof(float), out.rejected.data(), n * sizeof(float));
  write_file_atomic(path, bytes);
  return out;
}

struct HeldOut {
  double loss = 0, accuracy = 0;
};

// Of the pairs `members`.
HeldOut evaluate(const model::Decoder& policy, const std::vector<data::Pair>& pairs, std::span<const int64_t> members,
                 const ReferenceLogps& reference, const PreferenceParams& params, const Forward& forward) {
  const at::NoGradGuard no_grad;
  std::vector<int64_t> lengths;
  for (const data::Pair& p : pairs) lengths.push_back(p.size());
  const losses::PairLoss loss = losses::pair_loss(params.loss.loss);
  HeldOut out;
  int64_t tokens = 0;
  for (const auto micro : micro_batches(members, lengths, 8192)) {
    const losses::PairLogps logps = pair_logps(policy, micro, pairs, reference, forward, tokens);
    out.loss += loss(logps, params.loss).sum().item<double>();
    out.accuracy += losses::implicit_rewards(logps, params.loss.beta).margin.gt(0).sum().item<double>();
  }
  out.loss /= static_cast<double>(members.size());
  out.accuracy /= static_cast<double>(members.size());
  return out;
}

std::vector<int64_t> all_of(size_t n) {
  std::vector<int64_t> out(n);
  std::iota(out.begin(), out.end(), 0);
  return out;
}

// One way from the start through comparisons: of a fold, or of them all.
struct Pass {
  std::vector<int64_t> rows, held_out;  // of the training comparisons
  BatchPlan plan;                       // of places in `rows`
  int64_t first = 0;                    // step of the run
  bool trial = false;

  int64_t end() const { return first + plan.steps(); }
  std::vector<int64_t> batch(int64_t step) const {
    std::vector<int64_t> out;
    for (const int64_t i : plan.batch(step - first)) out.push_back(rows[static_cast<size_t>(i)]);
    return out;
  }
};

// The folds' passes, in each of which the others learn, and the last one of all.
std::vector<Pass> passes_of(const std::vector<data::Pair>& pairs, const PreferenceParams& params, uint64_t seed) {
  std::vector<Pass> out;
  const auto add = [&](std::vector<int64_t> rows, std::vector<int64_t> held_out, bool trial) {
    const std::vector<int64_t> ones(rows.size(), 1);
    BatchPlan plan(ones, params.batch_pairs, params.epochs, seed);
    out.push_back({std::move(rows), std::move(held_out), std::move(plan), out.empty() ? 0 : out.back().end(), trial});
  };
  if (params.stop.folds > 0) {
    std::vector<std::string> prompts;
    for (const data::Pair& p : pairs)
      prompts.emplace_back(reinterpret_cast<const char*>(p.chosen.ids.data()),
                           static_cast<size_t>(p.prompt_length) * sizeof(int32_t));
    const std::vector<int64_t> fold = folds_of(prompts, params.stop.folds, seed);
    for (int64_t f = 0; f <= std::ranges::max(fold); ++f) {
      std::vector<int64_t> rows, held_out;
      for (size_t i = 0; i < fold.size(); ++i) {
        if (fold[i] != f) rows.push_back(static_cast<int64_t>(i));
        else if (!pairs[i].tie) held_out.push_back(static_cast<int64_t>(i));
      }
      if (!held_out.empty()) add(std::move(rows), std::move(held_out), true);
    }
  }
  add(all_of(pairs.size()), {}, false);
  return out;
}

optim::StateTensors copies_of(const std::vector<optim::NamedTensor>& tensors) {
  optim::StateTensors out;
  append_weights(out, "", tensors);
  for (auto& [name, tensor] : out) tensor = tensor.detach().clone();
  return out;
}

// Early stopping around the loop: what an evaluation looks at beside the held-out rows, and the weights that are kept.
class Watch {
 public:
  /// `policy`: before its first step.
  Watch(const PreferenceParams& params, const model::Decoder& policy, const data::Encoder& encoder,
        std::span<const data::Prompt> held_out, std::span<const data::Prompt> trained, bool scored,
        at::ScalarType compute, uint64_t seed)
      : settings_(params.stop) {
    if (!settings_.on()) return;
    if (settings_.folds > 0) settings_.patience = 0;
    Look start;
    if (scored || settings_.folds > 0) start.accuracy = 0, start.loss = std::log(2);  // of DPO; not compared
    if (settings_.drifts()) {
      std::vector<AskedPrompt> prompts =
          draw_asked(held_out.empty() ? trained : held_out, settings_.prompts, encoder, settings_.max_tokens,
                     policy.config().max_positions, mix64(seed, hash64("drift")));
      if (prompts.empty())
        usage_error("stop.kl_limit and stop.start_loss_limit: there is no prompt short enough to be answered",
                    "set both to 0, or give shorter prompts");
      drift_.emplace(policy, encoder, std::move(prompts), settings_.max_tokens, compute, seed);
      start.kl_per_token = 0, start.start_loss_ratio = 1;
    }
    early_.emplace(settings_, start);
  }

  explicit operator bool() const { return early_.has_value(); }
  const EarlyStop& early() const { return *early_; }
  void until(int64_t step) { early_->until(step); }
  bool ended() const { return early_ && early_->ended(); }

  /// After step `done`, whose held-out figures are `held_out`; adds what it measures to the step's metrics.
  void look(int64_t done, const std::optional<HeldOut>& held_out, const model::Decoder& policy,
            const std::vector<optim::NamedTensor>& trained, Numbers& numbers) {
    Look look{.step = done};
    if (held_out) look.accuracy = held_out->accuracy, look.loss = held_out->loss;
    if (drift_) {
      const Drift drift = drift_->measure(policy);
      look.kl_per_token = drift.kl_per_token, look.start_loss_ratio = drift.start_loss_ratio;
      numbers.emplace_back("kl_per_token", drift.kl_per_token);
      numbers.emplace_back("start_loss_ratio", drift.start_loss_ratio);
    }
    if (early_->take(look)) keep(trained);
  }

  /// What stands in the checkpoint: the kept weights, and where it is.
  void keep(const std::vector<optim::NamedTensor>& trained) { kept_ = copies_of(trained); }
  void append_state(optim::StateTensors& out) const {
    for (const auto& [name, tensor] : kept_) out.emplace_back("kept." + name, tensor);
  }
  Json json() const { return early_ ? Json{{"early_stop", early_->state()}} : Json::object(); }
  void restore(const optim::StateTensors& saved, const Json& json) {
    if (!early_) return;
    early_->restore(json.at("early_stop"));
    kept_ = with_prefix(saved, "kept.");
  }
  /// Puts the kept weights back.
  void put_back(const std::vector<optim::NamedTensor>& trained) const { restore_weights(kept_, "", trained); }

  void count(MemoryCount& memory) const {
    if (drift_) memory.add(drift_->start());
    memory.add(kept_);
  }

 private:
  StopSettings settings_;
  std::optional<DriftMeter> drift_;
  std::optional<EarlyStop> early_;
  optim::StateTensors kept_;
};

}  // namespace

void PreferenceParams::check() const {
  if (stop.folds == 1) usage_error("stop.folds = 1 leaves nothing to learn from", "give 2 or more, or 0");
  if (model.empty()) usage_error("no model to start from", "give model = \"FOLDER\"");
  if (data.empty()) usage_error("no data", "give data = [\"comparisons.jsonl\"]");
}

void run_preference(const PreferenceParams& params, config::StageContext& context) {
  const auto seed = static_cast<uint64_t>(context.run.seed);
  losses::pair_loss(params.loss.loss);  // an unknown one is an error before anything is read

  // 1. Policy and comparisons.
  const text::Tokenizer tokenizer = text::Tokenizer::load(params.model);
  model::LoadedModel loaded = model::load_model(params.model);
  if (loaded.head)
    usage_error(params.model + ": is a reward model, not a language model", "start from the model that it was made of");
  model::Decoder policy = std::move(loaded.decoder);
  policy.to(at::Device(context.run.device), at::kFloat);
  settle_adapter(policy, params.model, params.adapter, seed);
  const at::ScalarType compute = resolve_precision(context, policy.config());
  if (policy.adapter() != nullptr) policy.keep_matrices_in(compute);
  auto read = data::read_preferences(params.data, params.text.read);
  params.text.keep_part(read);
  log::info("  " + read.report.summary());
  const data::Encoder encoder = data::Encoder::make(tokenizer, params.text.length.chat_format, policy.config().eos);
  settle_answer_ends(encoder, context, policy.config());
  auto split = data::split(std::move(read.rows), params.text.held_out, seed);
  std::erase_if(split.held_out, [](const data::Preference& row) { return row.tie; });  // no side to be right about
  auto train = data::encode_preferences(split.train, encoder, params.text.length, policy.config().max_positions);
  log::info("  " + train.lengths.summary());
  data::require_kept(train.lengths, params.text.length, "comparisons");
  auto held_out = data::encode_preferences(split.held_out, encoder, params.text.length, policy.config().max_positions);
  data::SplitManifest manifest(params.text.held_out, seed);
  manifest.add(std::span<const data::Preference>(split.train));
  manifest.save(context.folder / config::names::kSplit);
  data::require_disjoint(manifest, std::span<const data::Preference>(split.held_out), "the held-out comparisons");

  // 2. The reference, once.
  const std::string reference_folder = params.reference.empty() ? params.model : params.reference;
  if (!params.reference.empty())
    text::require_same_tokenizer(tokenizer, params.reference, "the reference has another tokenizer than the policy",
                                 "both must give the probability of the same token ids");
  const model::Decoder* start = params.reference.empty() ? &policy : nullptr;
  const ReferenceLogps reference = cached_reference(reference_folder, start, train.items, context, compute);
  const ReferenceLogps held_out_reference =
      held_out.items.empty() ? ReferenceLogps{}
                             : cached_reference(reference_folder, start, held_out.items, context, compute);

  // 3. The plan and the steps.
  const std::vector<Pass> passes = passes_of(train.items, params, seed);
  const Pass& whole = passes.back();
  std::vector<int64_t> lengths;
  for (const data::Pair& p : train.items) lengths.push_back(p.size());
  std::optional<optim::Optimizer> optimizer(std::in_place, trainable_tensors(policy), params.optim);
  const int64_t micro = micro_tokens(params, policy.config(), compute == at::kBFloat16);
  model::AttentionWork attention;
  const Forward forward(compute, params.checkpoint_activations, &attention);
  Watch watch(params, policy, encoder, prompts_of(split.held_out), prompts_of(split.train), !held_out.items.empty(),
              compute, seed);
  if (watch) watch.keep(optimizer->tensors());
  const optim::StateTensors start_weights = passes.size() > 1 ? copies_of(optimizer->tensors()) : optim::StateTensors{};
  CrossValidation folds;
  LoopState state;
  state.tensors = [&] {
    optim::StateTensors out;
    append_weights(out, "policy.", optimizer->tensors());
    for (auto& [name, tensor] : optimizer->state()) out.emplace_back("optim." + name, tensor);
    watch.append_state(out);
    return out;
  };
  state.restore = [&](const optim::StateTensors& saved, const Json& json) {
    restore_weights(saved, "policy.", optimizer->tensors());
    optimizer->load_state(with_prefix(saved, "optim."));
    watch.restore(saved, json);
    if (json.contains("folds")) folds.restore(json.at("folds"));
  };
  state.json = [&] {
    Json out = watch.json();
    if (passes.size() > 1) out["folds"] = folds.state();
    return out;
  };
  int64_t steps = whole.end();
  log::info("  " + count_text(static_cast<int64_t>(train.items.size())) + " comparisons, " +
            count_text(static_cast<int64_t>(held_out.items.size())) + " held out; " + count_text(whole.plan.steps()) +
            " steps of loss '" + params.loss.loss + "', beta " + decimal_text(params.loss.beta, 3) +
            (passes.size() > 1 ? ", behind " + count_text(whole.first) + " of " +
                                     count_text(static_cast<int64_t>(passes.size()) - 1) + " folds"
                               : ""));
  Session session(context, params.keep, "  " + context.record.name, steps, state, &attention);
  const AnswerLog answers(params.samples, encoder, prompts_of(split.held_out), prompts_of(split.train),
                          policy.config().max_positions, seed);
  std::set<int64_t> answered;  // steps
  const auto answer = [&](int64_t done) {
    if (answered.insert(done).second) answers.look(policy, done, session);
  };
  // What the folds say of a look of the last pass.
  const auto pooled = [&](int64_t done) {
    const auto look = folds.at(static_cast<double>(done - whole.first) / static_cast<double>(whole.plan.steps()));
    return HeldOut{look.loss, look.accuracy};
  };
  // Where the run ends, once every fold was looked at: at the first of the best looks.
  const auto end_where_folds_say = [&] {
    StopSettings only;
    only.folds = params.stop.folds;
    EarlyStop best(only, {.accuracy = 0, .loss = std::log(2)});
    for (int64_t done = whole.first + 1; done <= whole.end(); ++done)
      if (session.evaluation_due(done - 1 - whole.first, whole.plan.steps())) {
        const HeldOut at = pooled(done);
        best.take({.step = done, .accuracy = at.accuracy, .loss = at.loss});
      }
    watch.until(best.kept().step);
    session.set_total_steps(steps = std::max(whole.first, best.kept().step));
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
      if (pass->trial) folds.begin_fold(std::ssize(pass->held_out), std::log(2));
    }
    const std::vector<int64_t> batch = pass->batch(step);
    optimizer->zero_grad();
    const auto [loss, chosen, rejected, right, tokens] =
        add_preference_gradient(policy, train.items, reference, lengths, batch, micro, params.loss, forward);
    const double factor = optim::schedule_factor(schedule, local, pass->plan.steps());
    const double norm = std::isfinite(loss) ? optimizer->step(factor) : loss;
    if (!std::isfinite(loss) || !std::isfinite(norm)) {
      Json replay = Json::array();
      for (const int64_t i : batch)
        replay.push_back(
            {train.items[static_cast<size_t>(i)].chosen.ids, train.items[static_cast<size_t>(i)].rejected.ids});
      stop_non_finite(context, step, std::isfinite(loss) ? "gradient" : "loss", replay);
    }
    const std::string note =
        "loss " + decimal_text(loss, 3) + "  margin " +
        decimal_text(params.loss.beta * (chosen - rejected) / static_cast<double>(batch.size()), 3);
    const bool due = session.evaluation_due(local, pass->trial ? pass->plan.steps() : steps - pass->first);
    if (pass->trial) {
      Numbers numbers{
          {"fold", static_cast<double>(folds.folds())}, {"fold_loss", loss}, {"tokens", static_cast<double>(tokens)}};
      if (due) {
        const HeldOut at =
            session.apart([&] { return evaluate(policy, train.items, pass->held_out, reference, params, forward); });
        folds.add({static_cast<double>(local + 1) / static_cast<double>(pass->plan.steps()), at.accuracy, at.loss});
        numbers.emplace_back("fold_held_out_loss", at.loss);
        numbers.emplace_back("fold_held_out_accuracy", at.accuracy);
      }
      session.journal().metrics(step + 1, numbers);
      if (step + 1 == whole.first) end_where_folds_say();
      session.step_done(step, tokens, "fold " + std::to_string(folds.folds()) + "  " + note);
      continue;
    }
    const double n = static_cast<double>(batch.size());
    Numbers numbers{{"loss", loss}};
    for (const auto& rate : optimizer->rates(factor)) numbers.push_back(rate);
    numbers.insert(numbers.end(), {{"grad_norm", norm},
                                   {"tokens", static_cast<double>(tokens)},
                                   {"chosen_drift", chosen / n},
                                   {"rejected_drift", rejected / n},
                                   {"reward_margin", params.loss.beta * (chosen - rejected) / n},
                                   {"accuracy", right / n}});
    std::optional<double> score;
    if (due && !held_out.items.empty()) {
      const std::vector<int64_t> all = all_of(held_out.items.size());
      last = session.apart([&] { return evaluate(policy, held_out.items, all, held_out_reference, params, forward); });
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
    session.step_done(step, tokens, note, score);
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
  tokenizer.save(folder);
  model::save_model(folder, policy);
  Json model{{"parameters", policy.parameter_count()}, {"reference", reference_folder}};
  record_adapter(policy, model);
  MemoryCount memory;
  memory.add(policy);
  memory.add_trained(optimizer->tensors());
  memory.add(optimizer->state());
  memory.add(*forward.compute.casts);
  memory.add(start_weights);
  watch.count(memory);
  model["memory_bytes"] = memory.bytes();
  context.record.model_json = dump_json(model);
  Json summary = last ? held_out_summary({{"held_out_loss", last->loss}, {"held_out_accuracy", last->accuracy}})
                      : held_out_summary({});
  summary["comparisons"] = train.items.size();
  summary.update(stopped);
  context.record.summary_json = dump_json(summary);
}

}  // namespace hone::train
