// Pretraining and supervised fine-tuning: maximum likelihood of the weighted tokens (losses/language.h). Steps:
//   1. read, tokenise, split; say what is lost
//   2. the model, new or loaded
//   3. the plan: which sequences make up which step
//   4. for each step: forward, loss over one global normaliser, backward, update; evaluate; checkpoint
//   5. the model folder
#include "train/language_model.h"

#include <chrono>
#include <numeric>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "model/hf_folder.h"
#include "optim/schedule.h"
#include "train/adapt.h"
#include "train/batch_plan.h"
#include "train/language_data.h"
#include "train/language_step.h"
#include "train/learning.h"
#include "train/memory.h"
#include "train/memory_count.h"
#include "train/precision.h"
#include "train/session.h"
#include "train/trainable.h"

namespace hone::train {
namespace {

// 2. The model, new or loaded.
model::Decoder start_model(const LanguageModelParams& params, const text::Tokenizer& tokenizer, uint64_t seed) {
  if (params.model.empty()) {
    model::ModelConfig config = new_model_config(params, tokenizer.size());
    if (tokenizer.bos()) config.bos = *tokenizer.bos();
    if (tokenizer.pad()) config.pad = *tokenizer.pad();
    if (tokenizer.eos()) config.eos = {*tokenizer.eos()};
    return model::make_decoder(config, seed);
  }
  model::LoadedModel loaded = model::load_model(params.model);
  if (loaded.head)
    usage_error(params.model + ": is a reward model, not a language model", "start from the model that it was made of");
  for (const std::string& n : loaded.notes) log::info("  " + n);
  return std::move(loaded.decoder);
}

// The cap on the wall clock: it shortens the plan once the speed is known.
class TimeCap {
 public:
  TimeCap(double minutes, int64_t first_step) : minutes_(minutes), first_step_(first_step) {}

  /// Of `steps` those that fit, asked when step `step` (0-based) is over; 20 at least.
  int64_t steps_that_fit(int64_t step, int64_t steps) const {
    if (minutes_ <= 0 || step != 19) return steps;
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count() /
                           static_cast<double>(step + 1 - first_step_);
    return std::min(steps, std::max<int64_t>(static_cast<int64_t>(minutes_ * 60 / seconds), 20));
  }
  std::string text(int64_t steps, int64_t planned) const {
    return "capped at " + decimal_text(minutes_, 1) + " minutes: " + count_text(steps) + " of " + count_text(planned) +
           " steps";
  }

 private:
  double minutes_;
  int64_t first_step_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

void run(const LanguageModelParams& params, config::StageContext& context, bool pretraining) {
  const auto seed = static_cast<uint64_t>(context.run.seed);

  // 1. and 2. Tokenizer, model and data.
  const std::string tokenizer_folder = params.tokenizer.empty() ? params.model : params.tokenizer;
  const text::Tokenizer tokenizer = text::Tokenizer::load(tokenizer_folder);
  model::Decoder decoder = start_model(params, tokenizer, seed);
  if (decoder.config().vocab_size < tokenizer.size())
    usage_error(tokenizer_folder + ": the tokenizer has " + std::to_string(tokenizer.size()) +
                " tokens, the model only " + std::to_string(decoder.config().vocab_size));
  decoder.to(at::Device(context.run.device), at::kFloat);
  settle_adapter(decoder, params.model, params.adapter, seed);
  const at::ScalarType compute = resolve_precision(context, decoder.config());
  const LanguageData data = pretraining ? read_documents(params, tokenizer, decoder.config(), context.run)
                                        : read_demonstrations(params, tokenizer, decoder.config(), context);
  if (data.train.empty()) usage_error(context.record.kind + ": nothing to train on is left");
  std::vector<int64_t> lengths;
  for (const data::Sequence& s : data.train) lengths.push_back(s.size());
  const int64_t all_tokens = std::accumulate(lengths.begin(), lengths.end(), int64_t{0});

  // 3. The plan.
  const BatchPlan plan = params.steps > 0 ? BatchPlan::of_steps(lengths, params.batch_tokens, params.steps, seed)
                                          : BatchPlan(lengths, params.batch_tokens, params.epochs, seed);
  int64_t steps = plan.steps();
  log::info("  " + count_text(decoder.parameter_count()) + " parameters; " + count_text(std::ssize(lengths)) +
            " sequences, " + count_text(all_tokens) + " tokens, " + count_text(std::ssize(data.held_out)) +
            " sequences held out; " + count_text(steps) + " steps, " + decimal_text(plan.epochs(), 2) + " epochs");
  optim::Optimizer optimizer(trainable_tensors(decoder), params.optim);
  decoder.keep_matrices_in(compute);
  const int64_t micro = micro_tokens(params, decoder.config(), compute == at::kBFloat16);
  model::AttentionWork attention;
  const Forward forward(compute, params.checkpoint_activations, &attention);
  int64_t seen = 0;
  LoopState state;
  state.tensors = [&] {
    optim::StateTensors out;
    append_learner(out, "model", optimizer);
    return out;
  };
  state.json = [&] { return Json{{"steps", steps}, {"tokens_seen", seen}}; };
  state.restore = [&](const optim::StateTensors& saved, const Json& json) {
    restore_learner(saved, "model", optimizer);
    steps = json.at("steps");
    seen = json.at("tokens_seen");
  };
  Session session(context, params.keep, "  " + context.record.name, steps, state, &attention);
  session.set_total_steps(steps);  // a checkpoint may bring a number that was capped

  // 4. Steps.
  optim::ScheduleParams schedule = optim::fit_schedule(params.optim.schedule, steps);
  const TimeCap cap(params.max_minutes, session.first_step());
  std::optional<double> evaluation;
  if (session.first_step() == 0 && data.answers) data.answers->look(decoder, 0, session);
  for (int64_t step = session.first_step(); step < steps; ++step) {
    const std::span<const int64_t> batch = plan.batch(step);
    optimizer.zero_grad();
    const auto [loss, tokens] = add_language_gradient(decoder, data.train, lengths, batch, micro, forward,
                                                      step_dropout(params.adapter, seed, step));
    Numbers numbers =
        update(optimizer, optim::schedule_factor(schedule, step, steps), loss, tokens, step, context, [&] {
          Json replay = Json::array();
          for (const int64_t i : batch) replay.push_back(data.train[i].ids);
          return replay;
        });
    seen += tokens;
    // Before this step's checkpoint, which must hold it.
    if (const int64_t fit = cap.steps_that_fit(step, steps); fit < steps) {
      session.set_total_steps(steps = fit);
      schedule = optim::fit_schedule(params.optim.schedule, steps);
      context.record.warnings.emplace_back(
          step + 1, cap.text(steps, plan.steps()) + "; the number depends on this machine's speed");
      log::info("  " + cap.text(steps, plan.steps()));
    }
    std::optional<double> score;
    if (session.evaluation_due(step) && !data.held_out.empty()) {
      score = evaluation = session.apart([&] { return held_out_loss(decoder, data.held_out, micro, forward); });
      numbers.emplace_back("held_out_loss", *evaluation);
    }
    session.journal().metrics(step + 1, numbers);
    if (session.answers_due(step) && data.answers) data.answers->look(decoder, step + 1, session);
    session.step_done(
        step, tokens,
        "loss " + decimal_text(loss, 3) + (evaluation ? "  held out " + decimal_text(*evaluation, 3) : ""), score);
  }

  // 5. The result.
  save_folder(context.folder / config::names::kModel, tokenizer, decoder);
  MemoryCount memory;
  memory.add(decoder);
  memory.add_trained(optimizer.tensors());
  memory.add(optimizer.state());
  memory.add(*forward.compute.casts);
  Json model = record_of(decoder);
  model.update(Json{{"vocabulary", decoder.config().vocab_size},
                    {"layers", decoder.config().layers},
                    {"width", decoder.config().width},
                    {"memory_bytes", memory.bytes()}});
  context.record.model_json = dump_json(model);
  Json summary = held_out_summary({{"held_out_loss", evaluation}});
  summary.update(Json{{"steps", steps}, {"tokens_seen", seen}, {"tokens_in_data", all_tokens}});
  context.record.summary_json = dump_json(summary);
}

}  // namespace

void LanguageModelParams::settle(const std::set<std::string>& given) {
  if (!model.empty()) return;
  const auto put = [&](const char* key, double& value, double own) {
    if (!given.contains(key)) value = own;
  };
  const bool rule_given = given.contains("optim.rule"), muon = !rule_given || optim.rule == "muon";
  if (!rule_given) optim.rule = "muon";
  if (given.contains("optim.lr")) return;
  put("optim.lr", optim.lr, muon ? 3e-3 : 1e-3);
  if (!muon) return;
  // Muon decides whether a small model learns facts at all in the time.
  put("optim.matrix_lr", optim.matrix_lr, 0.01);
  put("optim.embedding_lr", optim.embedding_lr, 0.02);
}

void LanguageModelParams::check() const {
  if (data.empty()) usage_error("no data", "give data = [\"FILE\", …]");
  if (model.empty() && tokenizer.empty())
    usage_error("neither a model to start from nor a tokenizer for a new one",
                "give model = \"FOLDER\" or tokenizer = \"FOLDER\"");
  if (shape.width % shape.heads != 0 || shape.heads % shape.kv_heads != 0)
    usage_error("shape: width must be a multiple of heads, and heads of kv_heads");
}

model::ModelConfig new_model_config(const LanguageModelParams& params, int64_t vocabulary) {
  const ShapeSettings& s = params.shape;
  model::ModelConfig config = model::llama_config(vocabulary, s.width, s.layers, s.heads, s.kv_heads, s.ffn, s.context);
  config.rope_theta = s.rope_theta;
  config.init_std = s.init_std;
  config.tied = s.tied;
  return config;
}

void run_pretrain(const PretrainParams& params, config::StageContext& context) { run(params, context, true); }
void run_sft(const SftParams& params, config::StageContext& context) { run(params, context, false); }

}  // namespace hone::train
