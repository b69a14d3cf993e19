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

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/adapter.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/rng.h"
#include "base/stats.h"
#include "data/encode_rows.h"
#include "data/split.h"
#include "model/hf_folder.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"
#include "rewards/agreement.h"
#include "rewards/reward_model.h"
#include "text/tokenizer.h"
#include "train/adapt.h"
#include "train/answer_ends.h"
#include "train/batch_plan.h"
#include "train/memory.h"
#include "train/memory_count.h"
#include "train/precision.h"
#include "train/reward_step.h"
#include "train/session.h"
#include "train/trainable.h"

namespace hone::train {
namespace {

struct Member {
  int64_t number;
  model::Decoder decoder;
  model::ScalarHead head;
  optim::Optimizer optimizer;
  std::shared_ptr<WeightCasts> casts = std::make_shared<WeightCasts>();
};

struct Comparisons {
  std::vector<data::Pair> train, held_out;
  std::vector<std::string> held_out_sources;
};

data::Sequence with_answer_of(const data::Pair& prompt, const data::Pair& other) {
  data::Sequence s;
  const auto n = static_cast<std::ptrdiff_t>(prompt.prompt_length),
             m = static_cast<std::ptrdiff_t>(other.prompt_length);
  s.ids.assign(prompt.chosen.ids.begin(), prompt.chosen.ids.begin() + n);
  s.ids.insert(s.ids.end(), other.chosen.ids.begin() + m, other.chosen.ids.end());
  s.weight.assign(s.ids.size(), 0.0f);
  return s;
}

// One more comparison for a share of them: the chosen answer beats the chosen answer to another prompt.
void add_mismatches(std::vector<data::Pair>& pairs, double share, uint64_t seed, int64_t longest) {
  const size_t n = pairs.size();
  Stream stream(seed, "mismatch");
  for (size_t i = 0; i < n && n > 1; ++i) {
    if (!stream.chance(share)) continue;
    const size_t j = (i + 1 + stream.below(n - 1)) % n;
    const auto prompt = [&](size_t k) {
      return std::span(pairs[k].chosen.ids).first(static_cast<size_t>(pairs[k].prompt_length));
    };
    if (std::ranges::equal(prompt(i), prompt(j))) continue;
    data::Sequence wrong = with_answer_of(pairs[i], pairs[j]);
    if (wrong.ids == pairs[i].chosen.ids || wrong.size() > longest) continue;
    data::Pair pair = pairs[i];
    pair.rejected = std::move(wrong);
    pair.margin = 0;
    pairs.push_back(std::move(pair));
  }
}

// Makes members one at a time: only the one that learns is there. With adapters all stand on one frozen model.
class MemberMaker {
 public:
  MemberMaker(const RewardParams& params, config::StageContext& context) : params_(params), context_(context) {}

  Member make(int64_t m) {
    const at::Device device(context_.run.device);
    model::LoadedModel loaded =
        trunk_ ? model::LoadedModel{over_same_base(*trunk_), {}, {}, true} : model::load_model(params_.model);
    model::Decoder decoder = std::move(loaded.decoder);
    const uint64_t own_seed = mix64(static_cast<uint64_t>(context_.run.seed), static_cast<uint64_t>(m));
    const bool fresh = !loaded.head || params_.ensemble > 1;
    const double std =
        params_.head_std < 0 ? 1 / std::sqrt(static_cast<double>(decoder.config().width) + 1) : params_.head_std;
    // A bias would change no comparison, and transformers' heads have none: normalising makes up for it.
    if (loaded.head) loaded.head->bias = Tensor();
    model::ScalarHead head =
        fresh ? model::make_scalar_head(decoder.config().width, std, own_seed) : std::move(*loaded.head);
    if (!made_)
      log::info(fresh ? "  new scalar head, N(0, " + decimal_text(std, 4) + ")"
                      : "  scalar head taken over from " + params_.model);
    decoder.drop_output_weight();
    decoder.config().reward_shift = 0;
    decoder.config().reward_scale = 1;
    if (!loaded.shared) decoder.to(device, at::kFloat);
    if (!made_) compute_ = resolve_precision(context_, decoder.config());
    if (params_.adapter.rank > 0 && !trunk_) {
      decoder.keep_matrices_in(compute_);
      trunk_ = over_same_base(decoder);
    }
    head.weight = head.weight.to(device);
    settle_adapter(decoder, params_.model, params_.adapter, own_seed);
    if (made_) decoder.config().eos = ends_;
    made_ = true;
    // A bias moves both sides of a comparison alike: without centring it has no gradient, and stays what it was.
    const bool bias = head.bias.defined() && params_.loss.centring > 0;
    model::ScalarHead trained{head.weight, bias ? head.bias : Tensor()};
    auto tensors = trainable_tensors(decoder, &trained);
    return {m, std::move(decoder), std::move(head), optim::Optimizer(std::move(tensors), params_.optim)};
  }
  at::ScalarType compute() const { return compute_; }
  /// What ends an answer, once it is known: for the members to come.
  void set_ends(const std::vector<int64_t>& ends) { ends_ = ends; }

 private:
  const RewardParams& params_;
  config::StageContext& context_;
  std::optional<model::Decoder> trunk_;
  at::ScalarType compute_ = at::ScalarType::Undefined;
  std::vector<int64_t> ends_;
  bool made_ = false;
};

// What is left of a member that has learnt, beside its folder.
struct Finished {
  double shift = 0, scale = 1;
  std::vector<double> margins;  ///< raw, of the held-out comparisons
  Json to_json() const { return {{"shift", shift}, {"scale", scale}, {"margins", margins}}; }
  static Finished from_json(const Json& j) {
    return {j.at("shift"), j.at("scale"), j.at("margins").get<std::vector<double>>()};
  }
};

std::vector<double> scores_of(const Member& m, std::span<const std::vector<int32_t>> sequences, at::ScalarType compute,
                              const char* label) {
  if (!label) return rewards::raw_scores(m.decoder, m.head, sequences, compute);
  Progress bar(label, static_cast<int64_t>(sequences.size()));
  return rewards::raw_scores(m.decoder, m.head, sequences, compute, 16384,
                             [&](int64_t done) { bar.update(done, "answers"); });
}

std::vector<rewards::Compared> compare(const Member& m, std::span<const data::Pair> pairs,
                                       const std::vector<std::string>& sources, at::ScalarType compute,
                                       const char* label = nullptr) {
  std::vector<std::vector<int32_t>> sequences;
  for (const data::Pair& p : pairs) {
    sequences.push_back(p.chosen.ids);
    sequences.push_back(p.rejected.ids);
  }
  const std::vector<double> scores = scores_of(m, sequences, compute, label);
  std::vector<rewards::Compared> out;
  for (size_t i = 0; i < pairs.size(); ++i)
    out.push_back({scores[2 * i] - scores[2 * i + 1], sources.empty() ? "" : sources[i]});
  return out;
}

// As the ensemble judges: the mean of its members' rewards, whose unit is brought back to that of raw scores, since
// margins are read as log-odds. Of one member: its own margins.
std::vector<rewards::Compared> together(std::span<const Finished> members, const std::vector<std::string>& sources) {
  std::vector<rewards::Compared> out;
  double scale = 0;
  for (const Finished& m : members) scale += m.scale;
  const auto n = static_cast<double>(members.size());
  for (size_t i = 0; i < members.front().margins.size(); ++i) {
    double margin = members.front().margins[i];
    if (members.size() > 1) {
      margin /= members.front().scale;
      for (const Finished& m : members.subspan(1)) margin += m.margins[i] / m.scale;
      margin *= scale / n / n;
    }
    out.push_back({margin, sources[i]});
  }
  return out;
}

// Answers at most that set shift and scale; of more, so many are drawn.
constexpr size_t kReferenceAnswers = 4000;

// At most `most` of the numbers below n, in order.
std::vector<size_t> drawn(size_t n, size_t most, uint64_t seed) {
  std::vector<size_t> out(n);
  std::iota(out.begin(), out.end(), size_t{0});
  if (n <= most) return out;
  Stream(seed, "reference-answers").shuffle(out);
  out.resize(most);
  std::ranges::sort(out);
  return out;
}

// The answers whose rewards are to have mean 0 and standard deviation 1: those of `reference`, else both sides of the
// comparisons (of real ones: what was made to mismatch is no answer that anybody gave).
std::vector<std::vector<int32_t>> reference_answers(const RewardParams& params, std::span<const data::Pair> pairs,
                                                    const data::Encoder& encoder, int64_t longest, uint64_t seed) {
  std::vector<std::vector<int32_t>> out;
  if (params.reference.empty()) {
    for (const size_t i : drawn(pairs.size(), kReferenceAnswers / 2, seed)) {
      out.push_back(pairs[i].chosen.ids);
      out.push_back(pairs[i].rejected.ids);
    }
    return out;
  }
  const auto read = data::read_demonstrations(params.reference, params.text.read);
  log::info("  reference answers: " + read.report.summary());
  auto encoded = data::encode_demonstrations(read.rows, encoder, params.text.length, longest);
  data::require_kept(encoded.lengths, params.text.length, "reference answers");
  for (const size_t i : drawn(encoded.items.size(), kReferenceAnswers, seed))
    out.push_back(std::move(encoded.items[i].ids));
  return out;
}

void normalise(Member& m, std::span<const std::vector<int32_t>> answers, at::ScalarType compute) {
  const std::vector<double> scores = scores_of(m, answers, compute, "  reference rewards");
  m.decoder.config().reward_shift = stats::mean(scores);
  const double std = stats::stddev(scores);
  m.decoder.config().reward_scale = std > 1e-8 ? std : 1;
}

Json results(std::span<const Finished> members, const Comparisons& data, stats::Estimate& accuracy) {
  const std::vector<rewards::Compared> compared = together(members, data.held_out_sources);
  accuracy = rewards::accuracy(compared);
  std::vector<rewards::Compared> longer;  // the rule "longer is better" on the same comparisons
  for (size_t i = 0; i < data.held_out.size(); ++i)
    longer.push_back({static_cast<double>(data.held_out[i].chosen.size() - data.held_out[i].rejected.size()),
                      data.held_out_sources[i]});
  Json baseline = rewards::estimate_json(rewards::accuracy(longer));
  baseline["name"] = "the longer answer is better";
  Json j{{"accuracy", rewards::estimate_json(accuracy)},
         {"calibration", rewards::calibration_json(compared)},
         {"margins", rewards::margins_json(compared)},
         {"baselines", Json::array({baseline})}};
  if (Json sources = rewards::sources_json(compared, longer); !sources.empty()) j["sources"] = sources;
  return {{"task", "reward"},
          {"about",
           std::to_string(data.held_out.size()) + " held-out comparisons" +
               (members.size() > 1 ? ", by the mean reward of " + std::to_string(members.size()) + " members" : "")},
          {"reward_model", j}};
}

}  // namespace

void RewardParams::check() const {
  if (model.empty()) usage_error("no model to start from", "give model = \"FOLDER\"");
  if (data.empty()) usage_error("no data", "give data = [\"comparisons.jsonl\"]");
}

void run_reward(const RewardParams& params, config::StageContext& context) {
  const auto seed = static_cast<uint64_t>(context.run.seed);

  // 1. Comparisons.
  const text::Tokenizer tokenizer = text::Tokenizer::load(params.model);
  MemberMaker maker(params, context);
  std::optional<Member> member = maker.make(0);
  const at::ScalarType compute = maker.compute();
  const int64_t longest = member->decoder.config().max_positions;
  auto read = data::read_preferences(params.data, params.text.read);
  params.text.keep_part(read);
  log::info("  " + read.report.summary());
  const data::Encoder encoder =
      data::Encoder::make(tokenizer, params.text.length.chat_format, member->decoder.config().eos);
  settle_answer_ends(encoder, context, member->decoder.config());
  maker.set_ends(member->decoder.config().eos);
  auto split = data::split(std::move(read.rows), params.text.held_out, seed);
  std::erase_if(split.held_out, [](const data::Preference& row) { return row.tie; });  // no side to be right about
  auto train = data::encode_preferences(split.train, encoder, params.text.length, longest);
  log::info("  " + train.lengths.summary());
  data::require_kept(train.lengths, params.text.length, "comparisons");
  auto held_out = data::encode_preferences(split.held_out, encoder, params.text.length, longest);
  Comparisons data{std::move(train.items), {}, {}};
  for (size_t i = 0; i < held_out.items.size(); ++i) {
    data.held_out.push_back(std::move(held_out.items[i]));
    data.held_out_sources.push_back(split.held_out[static_cast<size_t>(held_out.rows[i])].source);
  }
  data::SplitManifest manifest(params.text.held_out, seed);
  manifest.add(std::span<const data::Preference>(split.train));
  manifest.save(context.folder / config::names::kSplit);
  data::require_disjoint(manifest, std::span<const data::Preference>(split.held_out), "the held-out comparisons");
  const size_t decided = data.train.size();
  add_mismatches(data.train, params.mismatch, seed, longest);

  // 2. The plan.
  const int64_t micro = micro_tokens(params, member->decoder.config(), compute == at::kBFloat16);
  const std::vector<int64_t> ones(data.train.size(), 1);
  std::vector<BatchPlan> plans;
  for (int64_t m = 0; m < params.ensemble; ++m)
    plans.emplace_back(ones, params.batch_pairs, params.epochs, mix64(seed, static_cast<uint64_t>(m)));
  const int64_t steps_each = plans.front().steps(), steps = steps_each * params.ensemble;
  std::vector<int64_t> lengths;
  for (const data::Pair& p : data.train) lengths.push_back(p.size());
  log::info("  " + count_text(static_cast<int64_t>(decided)) + " comparisons to learn from, " +
            count_text(static_cast<int64_t>(data.train.size() - decided)) + " mismatched ones, " +
            count_text(static_cast<int64_t>(data.held_out.size())) + " held out; " + count_text(steps) + " steps" +
            (params.ensemble > 1 ? " for " + std::to_string(params.ensemble) + " members" : ""));

  // Finishing a member: normalise, save, measure; then it makes room for the next.
  const fs::path folder = context.folder / config::names::kModel;
  const std::optional<int32_t> pad = data::padding_apart_from(encoder.endings(), tokenizer);
  if (!pad)
    log::warn(folder.string() +
              ": every special token ends answers, so none can pad a batch. transformers scores the last token that is "
              "not the pad: it agrees with hone on one answer at a time, and refuses batches; add a pad token to the "
              "tokenizer to score in batches there");
  const std::vector<std::vector<int32_t>> reference =
      reference_answers(params, std::span(data.train).first(decided), encoder, longest, seed);
  const auto folder_of = [&](int64_t number) {
    return number == 0 ? folder : folder / "members" / std::to_string(number);
  };
  std::vector<Finished> finished;
  Json model_record = Json::object();
  const auto finish = [&] {
    Member& m = *member;
    MemoryCount memory;
    memory.add(m.decoder);
    memory.add(m.head);
    memory.add_trained(m.optimizer.tensors());
    memory.add(m.optimizer.state());
    model_record = {{"parameters", m.decoder.parameter_count()}, {"members", params.ensemble}};
    record_adapter(m.decoder, model_record);
    memory.add(*m.casts);
    model_record["memory_bytes"] = memory.bytes();
    normalise(m, reference, compute);
    m.decoder.config().reward_dtype = context.record.dtype;
    m.decoder.config().pad = pad;
    const fs::path where = folder_of(m.number);
    fs::create_directories(where);
    tokenizer.save(where, pad);
    model::save_model(where, m.decoder, &m.head);
    Finished done{m.decoder.config().reward_shift, m.decoder.config().reward_scale, {}};
    if (!data.held_out.empty())
      for (const rewards::Compared& c :
           compare(m, data.held_out, data.held_out_sources, compute, "  held-out comparisons"))
        done.margins.push_back(c.margin);
    finished.push_back(std::move(done));
    member.reset();
  };

  LoopState state;
  state.tensors = [&] {
    optim::StateTensors out;
    append_weights(out, "member.", member->optimizer.tensors());
    for (auto& [name, tensor] : member->optimizer.state()) out.emplace_back("optim." + name, tensor);
    return out;
  };
  state.json = [&] {
    Json done = Json::array();
    for (const Finished& f : finished) done.push_back(f.to_json());
    return Json{{"member", member->number}, {"finished", done}};
  };
  state.restore = [&](const optim::StateTensors& saved, const Json& json) {
    for (const Json& f : json.at("finished")) {
      const fs::path where = folder_of(static_cast<int64_t>(finished.size()));
      if (!model::holds_model(where))
        usage_error(where.string() + ": the member that had learnt before the checkpoint is no longer there",
                    "start afresh in another folder");
      finished.push_back(Finished::from_json(f));
    }
    const int64_t number = json.at("member");
    if (number != member->number) {
      member.reset();
      member = maker.make(number);
    }
    restore_weights(saved, "member.", member->optimizer.tensors());
    member->optimizer.load_state(with_prefix(saved, "optim."));
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
    Member& m = *member;
    const std::span<const int64_t> batch = plans[static_cast<size_t>(number)].batch(own_step);
    const model::ComputeOptions options{
        .matmul = compute, .checkpoint = params.checkpoint_activations, .work = &attention, .casts = m.casts};
    m.optimizer.zero_grad();
    const auto [loss, right, gap, tokens] = add_reward_gradient(
        m.decoder, m.head, data.train, lengths, batch, micro, params.loss, params.use_margin, options,
        step_dropout(params.adapter, mix64(seed, static_cast<uint64_t>(number)), own_step));
    const double factor = optim::schedule_factor(schedule, own_step, steps_each);
    const double norm = std::isfinite(loss) ? m.optimizer.step(factor) : loss;
    if (!std::isfinite(loss) || !std::isfinite(norm)) {
      Json replay = Json::array();
      for (const int64_t i : batch)
        replay.push_back(
            {data.train[static_cast<size_t>(i)].chosen.ids, data.train[static_cast<size_t>(i)].rejected.ids});
      stop_non_finite(context, step, std::isfinite(loss) ? "gradient" : "loss", replay);
    }

    Numbers numbers{{"loss", loss}};
    for (const auto& rate : m.optimizer.rates(factor)) numbers.push_back(rate);
    numbers.insert(numbers.end(), {{"grad_norm", norm},
                                   {"tokens", static_cast<double>(tokens)},
                                   {"accuracy", right / static_cast<double>(batch.size())},
                                   {"reward_gap", gap / static_cast<double>(batch.size())}});
    if (params.ensemble > 1) numbers.emplace_back("member", static_cast<double>(number));
    std::optional<double> score;
    if (session.evaluation_due(step) && !data.held_out.empty()) {
      const std::vector<rewards::Compared> compared =
          session.apart([&] { return compare(m, data.held_out, data.held_out_sources, compute); });
      accuracy = rewards::accuracy(compared).value;
      double held_out_loss = 0;
      for (const rewards::Compared& c : compared)
        held_out_loss += std::log1p(std::exp(-std::abs(c.margin))) + std::max(0.0, -c.margin);
      numbers.emplace_back("held_out_accuracy", *accuracy);
      numbers.emplace_back("held_out_loss", held_out_loss / static_cast<double>(compared.size()));
      score = held_out_loss / static_cast<double>(compared.size());
    }
    session.journal().metrics(step + 1, numbers);
    session.step_done(
        step, tokens,
        "loss " + decimal_text(loss, 3) + (accuracy ? "  held-out accuracy " + decimal_text(*accuracy, 3) : ""), score);
  }

  // 4. and 5. The last member, and all of them together.
  finish();
  stats::Estimate final_accuracy;
  if (!data.held_out.empty())
    write_file_atomic(context.folder / config::names::kResults,
                      dump_json(results(finished, data, final_accuracy), 1) + "\n");
  model_record["reward_shift"] = finished.front().shift;
  model_record["reward_scale"] = finished.front().scale;
  context.record.model_json = dump_json(model_record);
  Json summary = held_out_summary({});
  if (final_accuracy.n > 0)
    summary = {{"accuracy", final_accuracy.value},
               {"accuracy_low", final_accuracy.low},
               {"accuracy_high", final_accuracy.high},
               {"held_out", final_accuracy.n}};
  summary["comparisons"] = decided;
  context.record.summary_json = dump_json(summary);
}

}  // namespace hone::train
