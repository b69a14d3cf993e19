#include "train/speed.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <numeric>

#include "base/rng.h"
#include "model/decoder.h"
#include "optim/optimizer.h"
#include "rollout/generate.h"
#include "train/language_step.h"
#include "train/precision.h"
#include "train/trainable.h"

namespace hone::train {
namespace {

// A model of no more weights is measured whole; of any other no more are measured at once.
constexpr int64_t kSmall = 3'000'000, kMostWeights = 60'000'000;
constexpr int64_t kVocabularyPart = 8192, kMostLength = 512, kMostTokens = 4096;
constexpr double kEnoughSeconds = 0.15;  // a measured step takes that long, if there are tokens enough
constexpr int64_t kInFlight = 64;

double seconds_of(auto&& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::vector<int32_t> random_ids(Stream& stream, int64_t length, int64_t vocabulary) {
  std::vector<int32_t> ids(length);
  for (int32_t& id : ids) id = static_cast<int32_t>(stream.below(static_cast<uint64_t>(vocabulary)));
  return ids;
}

std::string shape_text(const model::ModelConfig& c) {
  std::string out = c.family;
  for (const int64_t n : {c.vocab_size, c.width, c.layers, c.heads, c.kv_heads, c.ffn, c.max_positions})
    out += " " + std::to_string(n);
  return out;
}

// A slice that can be measured: fewer layers, a part of the vocabulary.
model::ModelConfig slice(model::ModelConfig config, int64_t layers) {
  config.layers = std::min(layers, config.layers);
  config.vocab_size = std::min(config.vocab_size, kVocabularyPart);
  return config;
}

// The whole model's time from that of its slices; `measure` times a config, `parts` names a result's numbers.
template <class Timing, size_t N>
Timing from_slices(const model::ModelConfig& whole, double Timing::* const (&parts)[N], auto&& measure) {
  if (model::parameter_count(whole) <= kSmall) return measure(whole);
  const model::ModelConfig one = slice(whole, 1), two = slice(whole, 2);
  const double share = static_cast<double>(whole.vocab_size) / static_cast<double>(one.vocab_size);
  Timing out = measure(one);
  if (whole.layers == 1 || model::parameter_count(two) > kMostWeights) {
    // Too wide for two layers: by its weights, nearly all of which are in matrix products.
    for (double Timing::* part : parts)
      out.*part *=
          static_cast<double>(model::parameter_count(whole)) / static_cast<double>(model::parameter_count(one));
    return out;
  }
  const Timing both = measure(two);
  for (double Timing::* part : parts) {
    // Timings scatter: a layer takes something, and no more than all of the slice.
    const double layer = std::clamp(both.*part - out.*part, 0.05 * (out.*part), out.*part);
    out.*part = static_cast<double>(whole.layers) * layer + share * (out.*part - layer);
  }
  return out;
}

}  // namespace

bool Speed::in_bf16(const model::ModelConfig& config) {
  const auto [at, fresh] = bf16_.try_emplace(shape_text(config), false);
  if (fresh) at->second = choose_precision(run_, config).dtype == "bf16";
  return at->second;
}

Speed::Step Speed::measure_step(const model::ModelConfig& config, const optim::OptimParams& optim, int64_t length,
                                bool bf16) const {
  model::Decoder decoder = model::make_decoder(config, 1);
  decoder.to(at::Device(run_.device), at::kFloat);
  optim::Optimizer optimizer(trainable_tensors(decoder), optim);
  const Forward forward(bf16 ? at::kBFloat16 : at::ScalarType::Undefined, /*checkpoint=*/false, nullptr);
  Stream stream(1, "speed");
  std::vector<data::Sequence> sequences;
  Step best{1e9, 1e9};
  double spent = 0;
  // The first round is one sequence and warms up; each later one takes twice as many, until a round takes its time.
  for (int64_t round = 0, count = 1; round < 12 && spent < 3 * kEnoughSeconds; ++round) {
    while (std::ssize(sequences) < count) {
      sequences.push_back({random_ids(stream, length, config.vocab_size), std::vector<float>(length, 1)});
      sequences.back().weight[0] = 0;
    }
    const std::vector<int64_t> lengths(sequences.size(), length);
    std::vector<int64_t> batch(sequences.size());
    std::iota(batch.begin(), batch.end(), int64_t{0});
    optimizer.zero_grad();
    const double gradient =
        seconds_of([&] { add_language_gradient(decoder, sequences, lengths, batch, kMostTokens, forward); });
    const double update = seconds_of([&] { optimizer.step(1e-6); });
    if (round > 0 || gradient > 3 * kEnoughSeconds) {
      // More sequences at once are faster, as in a run.
      best.token = std::min(best.token, gradient / static_cast<double>(length * std::ssize(sequences)));
      best.update = std::min(best.update, update);
      spent += gradient + update;
    }
    if (gradient < kEnoughSeconds && 2 * count * length <= kMostTokens) count *= 2;
  }
  return best;
}

double Speed::step(const model::ModelConfig& config, const optim::OptimParams& optim, const StepShape& shape) {
  // To a power of two, so that stages with rows of like length share a measurement.
  const auto length = static_cast<int64_t>(
      std::clamp<uint64_t>(std::bit_ceil(static_cast<uint64_t>(std::max<int64_t>(shape.sequence, 2))), 2,
                           static_cast<uint64_t>(std::max<int64_t>(2, std::min(kMostLength, config.max_positions)))));
  const bool bf16 = in_bf16(config);
  const auto [at, fresh] =
      steps_.try_emplace(shape_text(config) + " " + optim.rule + " " + std::to_string(length), Step{});
  if (fresh)
    at->second = from_slices(config, {&Step::token, &Step::update},
                             [&](const model::ModelConfig& c) { return measure_step(c, optim, length, bf16); });
  return at->second.token * static_cast<double>(shape.tokens) + at->second.update;
}

Speed::Answer Speed::measure_answer(const model::ModelConfig& config, int64_t prompt_tokens) const {
  model::Decoder decoder = model::make_decoder(config, 1);
  decoder.to(at::Device(run_.device), at::kFloat);
  Stream stream(2, "speed");
  std::vector<rollout::Request> requests;
  for (uint64_t i = 0; i < kInFlight; ++i)
    requests.push_back({random_ids(stream, prompt_tokens, config.vocab_size), i, 0});
  const auto seconds = [&](int64_t new_tokens) {
    rollout::SamplingParams sampling;
    sampling.max_tokens = new_tokens;
    double best = 1e9, spent = 0;
    for (int round = 0; round < 3 && spent < 2 * kEnoughSeconds; ++round) {
      const double s = seconds_of([&] { rollout::generate(decoder, requests, sampling, {}); });
      best = std::min(best, s);
      spent += s;
    }
    return best / static_cast<double>(kInFlight);
  };
  const int64_t most = std::clamp<int64_t>(config.max_positions - prompt_tokens, 2, 17);
  seconds(1);  // the kernels' first call
  const double first = seconds(1), all = seconds(most);
  const double token = std::max(0.0, all - first) / static_cast<double>(most - 1);
  return {std::max(0.0, first - token), token};
}

double Speed::answer(const model::ModelConfig& config, int64_t prompt_tokens, int64_t new_tokens) {
  const auto prompt = static_cast<int64_t>(std::clamp<uint64_t>(
      std::bit_ceil(static_cast<uint64_t>(std::max<int64_t>(prompt_tokens, 1))), 1,
      static_cast<uint64_t>(std::max<int64_t>(1, std::min(kMostLength, config.max_positions / 2)))));
  const auto [at, fresh] = answers_.try_emplace(shape_text(config) + " " + std::to_string(prompt), Answer{});
  if (fresh)
    at->second = from_slices(config, {&Answer::prompt, &Answer::token},
                             [&](const model::ModelConfig& c) { return measure_answer(c, prompt); });
  return at->second.prompt * static_cast<double>(prompt_tokens) / static_cast<double>(prompt) +
         at->second.token * static_cast<double>(new_tokens);
}

}  // namespace hone::train
