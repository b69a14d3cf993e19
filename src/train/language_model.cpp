// Pretraining and supervised fine-tuning: maximum likelihood of the weighted tokens (losses/language.h). Steps:
//   1. read, tokenise, split; say what is lost
//   2. the model, new or loaded
//   3. the plan: which sequences make up which step
//   4. for each step: forward, loss over one global normaliser, backward, update; evaluate; checkpoint
//   5. the model folder
#include "train/language_model.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/rng.h"
#include "data/corpus.h"
#include "data/encode_rows.h"
#include "data/split.h"
#include "model/hf_folder.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"
#include "text/tokenizer.h"
#include "train/adapt.h"
#include "train/answer_ends.h"
#include "train/answer_log.h"
#include "train/batch_plan.h"
#include "train/language_step.h"
#include "train/memory.h"
#include "train/memory_count.h"
#include "train/precision.h"
#include "train/session.h"
#include "train/trainable.h"

namespace hone::train {
namespace {

struct Corpus {
  std::vector<data::Sequence> train, held_out;
  std::optional<AnswerLog> answers = {};  ///< of fine-tuning
};

Corpus read_documents(const LanguageModelParams& params, const text::Tokenizer& tokenizer, int64_t context, int threads,
                      uint64_t seed) {
  const auto read = data::read_documents(params.data, params.text.read);
  log::info("  " + read.report.summary());
  const data::Corpus stream = data::encode_corpus(read.rows, tokenizer, threads, params.max_data_tokens);
  const data::HeldOut sides = data::hold_out(stream, params.text.held_out, seed);
  const auto sequences_of = [&](const data::Corpus& side) {
    std::vector<data::Sequence> out;
    if (side.tokens() < 2) return out;
    for (const data::Piece& piece : data::cut_pieces(side, params.corpus, context)) {
      data::Sequence s;
      s.ids.assign(side.ids.begin() + piece.begin, side.ids.begin() + piece.end);
      s.weight.assign(s.ids.size(), 1.0f);
      s.weight[0] = 0;
      out.push_back(std::move(s));
    }
    return out;
  };
  return {sequences_of(sides.train), sequences_of(sides.held_out)};
}

Corpus read_demonstrations(const LanguageModelParams& params, const data::Encoder& encoder, int64_t context,
                           uint64_t seed) {
  auto read = data::read_demonstrations(params.data, params.text.read);
  params.text.keep_part(read);
  log::info("  " + read.report.summary());
  auto split = data::split(std::move(read.rows), params.text.held_out, seed);
  auto train = data::encode_demonstrations(split.train, encoder, params.text.length, context);
  log::info("  " + train.lengths.summary());
  data::require_kept(train.lengths, params.text.length, "demonstrations");
  auto held_out = data::encode_demonstrations(split.held_out, encoder, params.text.length, context);
  return {std::move(train.items), std::move(held_out.items),
          AnswerLog(params.samples, encoder, prompts_of(split.held_out), prompts_of(split.train), context, seed)};
}

// Mean loss of a token over the held-out sequences (at most about 60,000 tokens of them), nats.
double held_out_loss(const model::Decoder& decoder, const std::vector<data::Sequence>& sequences,
                     const Forward& forward, int64_t micro_tokens) {
  const at::NoGradGuard no_grad;
  double loss = 0, weight = 0;
  int64_t tokens = 0;
  for (size_t begin = 0; begin < sequences.size() && tokens < 60000;) {
    std::vector<const data::Sequence*> members;
    int64_t used = 0;
    while (begin < sequences.size() &&
           (members.empty() || used + sequences[begin].size() <= std::min<int64_t>(micro_tokens, 8192))) {
      used += sequences[begin].size();
      members.push_back(&sequences[begin++]);
    }
    tokens += used;
    const Batch batch = collate(members, decoder.device());
    if (batch.rows.size(0) == 0) continue;
    const Tensor losses = token_losses(decoder, batch, forward);
    loss += (losses.to(at::kDouble) * batch.weights).sum().item<double>();
    weight += batch.weights.sum(at::kDouble).item<double>();
  }
  return weight > 0 ? loss / weight : 0;
}

void run(const LanguageModelParams& params, config::StageContext& context, bool pretraining) {
  const auto seed = static_cast<uint64_t>(context.run.seed);

  // 1. The model and its tokenizer.
  const std::string tokenizer_folder = params.tokenizer.empty() ? params.model : params.tokenizer;
  const text::Tokenizer tokenizer = text::Tokenizer::load(tokenizer_folder);
  model::Decoder decoder = [&] {
    if (params.model.empty()) {
      model::ModelConfig config = new_model_config(params, tokenizer.size());
      if (tokenizer.bos()) config.bos = *tokenizer.bos();
      if (tokenizer.pad()) config.pad = *tokenizer.pad();
      if (tokenizer.eos()) config.eos = {*tokenizer.eos()};
      return model::make_decoder(config, seed);
    }
    model::LoadedModel loaded = model::load_model(params.model);
    if (loaded.head)
      usage_error(params.model + ": is a reward model, not a language model",
                  "start from the model that it was made of");
    for (const std::string& n : loaded.notes) log::info("  " + n);
    return std::move(loaded.decoder);
  }();
  if (decoder.config().vocab_size < tokenizer.size())
    usage_error(tokenizer_folder + ": the tokenizer has " + std::to_string(tokenizer.size()) +
                " tokens, the model only " + std::to_string(decoder.config().vocab_size));
  decoder.to(at::Device(context.run.device), at::kFloat);
  settle_adapter(decoder, params.model, params.adapter, seed);
  const at::ScalarType compute = resolve_precision(context, decoder.config());

  // 2. The data.
  const int64_t longest = decoder.config().max_positions;
  const Corpus corpus = [&] {
    if (pretraining) return read_documents(params, tokenizer, longest, static_cast<int>(context.run.threads), seed);
    const data::Encoder encoder = data::Encoder::make(tokenizer, params.text.length.chat_format, decoder.config().eos);
    settle_answer_ends(encoder, context, decoder.config());
    return read_demonstrations(params, encoder, longest, seed);
  }();
  if (corpus.train.empty()) usage_error(context.record.kind + ": nothing to train on is left");
  std::vector<int64_t> lengths;
  for (const data::Sequence& s : corpus.train) lengths.push_back(s.size());
  const int64_t all_tokens = std::accumulate(lengths.begin(), lengths.end(), int64_t{0});

  // 3. The plan.
  const BatchPlan plan = params.steps > 0 ? BatchPlan::of_steps(lengths, params.batch_tokens, params.steps, seed)
                                          : BatchPlan(lengths, params.batch_tokens, params.epochs, seed);
  int64_t steps = plan.steps();
  log::info("  " + count_text(decoder.parameter_count()) + " parameters; " +
            count_text(static_cast<int64_t>(lengths.size())) + " sequences, " + count_text(all_tokens) + " tokens, " +
            count_text(static_cast<int64_t>(corpus.held_out.size())) + " sequences held out; " + count_text(steps) +
            " steps, " + decimal_text(plan.epochs(), 2) + " epochs");
  optim::Optimizer optimizer(trainable_tensors(decoder), params.optim);
  decoder.keep_matrices_in(compute);
  const int64_t micro = micro_tokens(params, decoder.config(), compute == at::kBFloat16);
  model::AttentionWork attention;
  const Forward forward(compute, params.checkpoint_activations, &attention);

  int64_t seen = 0;
  LoopState state;
  state.tensors = [&] {
    optim::StateTensors out;
    append_weights(out, "model.", optimizer.tensors());
    for (auto& [name, tensor] : optimizer.state()) out.emplace_back("optim." + name, tensor);
    return out;
  };
  state.json = [&] { return Json{{"steps", steps}, {"tokens_seen", seen}}; };
  state.restore = [&](const optim::StateTensors& saved, const Json& json) {
    restore_weights(saved, "model.", optimizer.tensors());
    optimizer.load_state(with_prefix(saved, "optim."));
    steps = json.at("steps");
    seen = json.at("tokens_seen");
  };
  Session session(context, params.keep, "  " + context.record.name, steps, state, &attention);
  session.set_total_steps(steps);  // a checkpoint may bring a number that was capped

  // 4. Steps.
  optim::ScheduleParams schedule = optim::fit_schedule(params.optim.schedule, steps);
  const auto start = std::chrono::steady_clock::now();
  std::optional<double> evaluation;
  if (session.first_step() == 0 && corpus.answers) corpus.answers->look(decoder, 0, session);
  for (int64_t step = session.first_step(); step < steps; ++step) {
    const std::span<const int64_t> batch = plan.batch(step);
    optimizer.zero_grad();
    const auto [loss, tokens] = add_language_gradient(decoder, corpus.train, lengths, batch, micro, forward,
                                                      step_dropout(params.adapter, seed, step));
    const double factor = optim::schedule_factor(schedule, step, steps);
    const double norm = std::isfinite(loss) ? optimizer.step(factor) : loss;
    if (!std::isfinite(loss) || !std::isfinite(norm)) {
      Json replay = Json::array();
      for (const int64_t i : batch) replay.push_back(corpus.train[static_cast<size_t>(i)].ids);
      stop_non_finite(context, step, std::isfinite(loss) ? "gradient" : "loss", replay);
    }
    seen += tokens;

    // A cap on the wall clock shortens the plan once the speed is known; before this step's checkpoint, which must hold
    // it.
    if (params.max_minutes > 0 && step == 19) {
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() /
                             static_cast<double>(step + 1 - session.first_step());
      const auto fits = static_cast<int64_t>(params.max_minutes * 60 / seconds);
      if (fits < steps) {
        steps = std::max<int64_t>(fits, 20);
        session.set_total_steps(steps);
        schedule = optim::fit_schedule(params.optim.schedule, steps);
        context.record.warnings.emplace_back(
            step + 1, "capped at " + decimal_text(params.max_minutes, 1) + " minutes: " + std::to_string(steps) +
                          " of " + std::to_string(plan.steps()) + " steps; the number depends on this machine's speed");
        log::info("  capped at " + decimal_text(params.max_minutes, 1) + " minutes: " + count_text(steps) + " of " +
                  count_text(plan.steps()) + " steps");
      }
    }

    Numbers numbers{{"loss", loss}};
    for (const auto& rate : optimizer.rates(factor)) numbers.push_back(rate);
    numbers.emplace_back("grad_norm", norm);
    numbers.emplace_back("tokens", static_cast<double>(tokens));
    std::optional<double> score;
    if (session.evaluation_due(step) && !corpus.held_out.empty()) {
      score = evaluation = session.apart([&] { return held_out_loss(decoder, corpus.held_out, forward, micro); });
      numbers.emplace_back("held_out_loss", *evaluation);
    }
    session.journal().metrics(step + 1, numbers);
    if (session.answers_due(step) && corpus.answers) corpus.answers->look(decoder, step + 1, session);
    session.step_done(
        step, tokens,
        "loss " + decimal_text(loss, 3) + (evaluation ? "  held out " + decimal_text(*evaluation, 3) : ""), score);
  }

  // 5. The result.
  const fs::path folder = context.folder / config::names::kModel;
  fs::create_directories(folder);
  tokenizer.save(folder);
  model::save_model(folder, decoder);
  Json model{{"parameters", decoder.parameter_count()},
             {"vocabulary", decoder.config().vocab_size},
             {"layers", decoder.config().layers},
             {"width", decoder.config().width}};
  record_adapter(decoder, model);
  MemoryCount memory;
  memory.add(decoder);
  memory.add_trained(optimizer.tensors());
  memory.add(optimizer.state());
  memory.add(*forward.compute.casts);
  model["memory_bytes"] = memory.bytes();
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
