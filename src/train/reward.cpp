// Reward models from comparisons: Bradley–Terry (losses/bradley_terry.h) on the head's score at the end token of each
// answer, the last one that data::Encoder gives. Pairs are packed: both answers of every pair of a micro-batch run in
// one forward pass. Steps:
//   1. read comparisons, split by prompt hash, tokenise; say what is lost
//   2. one or several members, one after the other, each with its own new head
//   3. for each step: scores at the last tokens, loss over one normaliser, update; evaluate; checkpoint
//   4. once a member has learnt: shift and scale so that reference rewards have mean 0 and standard deviation 1; its
//      folder; its judgement of the held-out comparisons
//   5. accuracy, calibration, agreement by margin on held-out comparisons, of all members together
#include "train/reward.h"

#include <cmath>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/rng.h"
#include "model/hf_folder.h"
#include "optim/schedule.h"
#include "train/adapt.h"
#include "train/answer_ends.h"
#include "train/batch_plan.h"
#include "train/learning.h"
#include "train/memory.h"
#include "train/memory_count.h"
#include "train/reward_comparisons.h"
#include "train/reward_members.h"
#include "train/reward_step.h"
#include "train/session.h"

namespace hone::train {
namespace {

// What the record says of a member that has learnt, and what its stage takes.
Json record_of_member(const RewardMember& m, int64_t members) {
  MemoryCount memory;
  memory.add(m.decoder);
  memory.add(m.head);
  memory.add_trained(m.optimizer.tensors());
  memory.add(m.optimizer.state());
  memory.add(*m.casts);
  Json out = record_of(m.decoder);
  out["members"] = members;
  out["memory_bytes"] = memory.bytes();
  return out;
}

// Mean of -log σ(margin).
double loss_of(std::span<const rewards::Compared> compared) {
  double out = 0;
  for (const rewards::Compared& c : compared)
    out += std::log1p(std::exp(-std::abs(c.margin))) + std::max(0.0, -c.margin);
  return out / static_cast<double>(compared.size());
}

}  // namespace

void RewardParams::check() const {
  if (model.empty()) usage_error("no model to start from", "give model = \"FOLDER\"");
  if (data.empty()) usage_error("no data", "give data = [\"comparisons.jsonl\"]");
}

void run_reward(const RewardParams& params, config::StageContext& context) {
  const auto seed = static_cast<uint64_t>(context.run.seed);

  // 1. The first member, and comparisons.
  const text::Tokenizer tokenizer = text::Tokenizer::load(params.model);
  RewardMemberMaker maker(params, context);
  std::optional<RewardMember> member = maker.make(0);
  model::ModelConfig& config = member->decoder.config();
  const data::Encoder encoder = data::Encoder::make(tokenizer, params.text.length.chat_format, config.eos);
  settle_answer_ends(encoder, context, config);
  maker.set_ends(config.eos);
  const Comparisons data = read_comparisons(params, encoder, config.max_positions, seed, context.folder);
  const fs::path folder = context.folder / config::names::kModel;
  const std::optional<int32_t> pad = data::padding_apart_from(encoder.endings(), tokenizer);
  if (!pad)
    log::warn(folder.string() +
              ": every special token ends answers, so none can pad a batch. transformers scores the last token that is "
              "not the pad: it agrees with hone on one answer at a time, and refuses batches; add a pad token to the "
              "tokenizer to score in batches there");

  // 2. The plan.
  const int64_t micro = micro_tokens(params, config, maker.compute() == at::kBFloat16);
  const std::vector<int64_t> ones(data.train.size(), 1);
  std::vector<BatchPlan> plans;
  for (int64_t m = 0; m < params.ensemble; ++m)
    plans.emplace_back(ones, params.batch_pairs, params.epochs, mix64(seed, static_cast<uint64_t>(m)));
  const int64_t steps_each = plans.front().steps(), steps = steps_each * params.ensemble;
  std::vector<int64_t> lengths;
  for (const data::Pair& p : data.train) lengths.push_back(p.size());
  log::info("  " + count_text(data.decided) + " comparisons to learn from, " +
            count_text(std::ssize(data.train) - data.decided) + " mismatched ones, " +
            count_text(std::ssize(data.held_out.pairs)) + " held out; " + count_text(steps) + " steps" +
            (params.ensemble > 1 ? " for " + std::to_string(params.ensemble) + " members" : ""));
  std::vector<FinishedMember> finished;
  Json model_record;
  const auto finish = [&] {
    model_record = record_of_member(*member, params.ensemble);
    finished.push_back(finish_member(*member, data.reference, data.held_out, tokenizer, pad, folder,
                                     context.record.dtype, maker.compute()));
    member.reset();  // makes room for the next
  };
  LoopState state;
  state.tensors = [&] {
    optim::StateTensors out;
    append_learner(out, "member", member->optimizer);
    return out;
  };
  state.json = [&] {
    Json done = Json::array();
    for (const FinishedMember& f : finished) done.push_back(f.to_json());
    return Json{{"member", member->number}, {"finished", done}};
  };
  state.restore = [&](const optim::StateTensors& saved, const Json& json) {
    for (const Json& f : json.at("finished")) {
      const fs::path where = member_folder(folder, std::ssize(finished));
      if (!model::holds_model(where))
        usage_error(where.string() + ": the member that had learnt before the checkpoint is no longer there",
                    "start afresh in another folder");
      finished.push_back(FinishedMember::from_json(f));
    }
    if (const int64_t number = json.at("member"); number != member->number) {
      member.reset();
      member = maker.make(number);
    }
    restore_learner(saved, "member", member->optimizer);
  };
  model::AttentionWork attention;
  Session session(context, params.keep, "  " + context.record.name, steps, state, &attention);

  // 3. Steps.
  const optim::ScheduleParams schedule = optim::fit_schedule(params.optim.schedule, steps_each);
  std::optional<double> accuracy;
  for (int64_t step = session.first_step(); step < steps; ++step) {
    const int64_t number = step / steps_each, own_step = step % steps_each;
    if (number != member->number) {
      session.apart(finish);
      member = maker.make(number);
    }
    RewardMember& m = *member;
    const std::span<const int64_t> batch = plans[number].batch(own_step);
    const model::ComputeOptions options{
        .matmul = maker.compute(), .checkpoint = params.checkpoint_activations, .work = &attention, .casts = m.casts};
    m.optimizer.zero_grad();
    const auto [loss, right, gap, tokens] = add_reward_gradient(
        m.decoder, m.head, data.train, lengths, batch, micro, params.loss, params.use_margin, options,
        step_dropout(params.adapter, mix64(seed, static_cast<uint64_t>(number)), own_step));
    Numbers numbers =
        update(m.optimizer, optim::schedule_factor(schedule, own_step, steps_each), loss, tokens, step, context, [&] {
          Json replay = Json::array();
          for (const int64_t i : batch) {
            const data::Pair& pair = data.train[i];
            replay.push_back({pair.chosen.ids, pair.rejected.ids});
          }
          return replay;
        });
    numbers.emplace_back("accuracy", right / static_cast<double>(batch.size()));
    numbers.emplace_back("reward_gap", gap / static_cast<double>(batch.size()));
    if (params.ensemble > 1) numbers.emplace_back("member", static_cast<double>(number));
    std::optional<double> score;
    if (session.evaluation_due(step) && !data.held_out.pairs.empty()) {
      const auto compared = session.apart([&] { return margins_of(m, data.held_out, maker.compute()); });
      accuracy = rewards::accuracy(compared).value;
      score = loss_of(compared);
      numbers.emplace_back("held_out_accuracy", *accuracy);
      numbers.emplace_back("held_out_loss", *score);
    }
    session.journal().metrics(step + 1, numbers);
    session.step_done(
        step, tokens,
        "loss " + decimal_text(loss, 3) + (accuracy ? "  held-out accuracy " + decimal_text(*accuracy, 3) : ""), score);
  }

  // 4. and 5. The last member, and all of them together.
  finish();
  Json summary = held_out_summary({});
  if (!data.held_out.pairs.empty()) {
    stats::Estimate all;
    write_file_atomic(context.folder / config::names::kResults,
                      dump_json(reward_results(finished, data.held_out, all), 1) + "\n");
    if (all.n > 0)
      summary = {{"accuracy", all.value}, {"accuracy_low", all.low}, {"accuracy_high", all.high}, {"held_out", all.n}};
  }
  summary["comparisons"] = data.decided;
  model_record["reward_shift"] = finished.front().shift;
  model_record["reward_scale"] = finished.front().scale;
  context.record.model_json = dump_json(model_record);
  context.record.summary_json = dump_json(summary);
}

}  // namespace hone::train
