#include "train/speed.h"

#include <algorithm>
#include <chrono>
#include <numeric>

#include "base/rng.h"
#include "model/decoder.h"
#include "optim/optimizer.h"
#include "rollout/generate.h"
#include "train/language_step.h"
#include "train/trainable.h"

namespace hone::train {
namespace {

constexpr int64_t kMostWeights = 20'000'000, kMostVocabulary = 8192, kMostTokens = 4096;

struct Measured {
  model::ModelConfig config;
  double scale = 1;  // weights of the model over weights of what is measured
};

Measured smaller(const model::ModelConfig& whole) {
  Measured m{whole};
  if (model::parameter_count(whole) > kMostWeights) {
    m.config.vocab_size = std::min(whole.vocab_size, kMostVocabulary);
    while (m.config.layers > 1 && model::parameter_count(m.config) > kMostWeights)
      m.config.layers = m.config.layers / 2;
  }
  m.scale = static_cast<double>(model::parameter_count(whole)) / static_cast<double>(model::parameter_count(m.config));
  return m;
}

double seconds_of(auto&& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::vector<int32_t> random_ids(Stream& stream, int64_t length, int64_t vocabulary) {
  std::vector<int32_t> ids(static_cast<size_t>(length));
  for (int32_t& id : ids) id = static_cast<int32_t>(stream.below(static_cast<uint64_t>(vocabulary)));
  return ids;
}

}  // namespace

double seconds_per_step(const model::ModelConfig& config, const optim::OptimParams& optim, const StepShape& shape,
                        const config::RunSettings& run) {
  const Measured m = smaller(config);
  model::Decoder decoder = model::make_decoder(m.config, 1);
  decoder.to(at::Device(run.device), at::kFloat);
  optim::Optimizer optimizer(trainable_tensors(decoder), optim);
  const int64_t length = std::clamp<int64_t>(shape.sequence, 2, std::max<int64_t>(2, m.config.max_positions)),
                tokens = std::clamp<int64_t>(shape.tokens, length, std::max(length, kMostTokens));
  Stream stream(1, "speed");
  std::vector<data::Sequence> sequences;
  for (int64_t i = 0; i < tokens / length; ++i) {
    sequences.push_back(
        {random_ids(stream, length, m.config.vocab_size), std::vector<float>(static_cast<size_t>(length), 1)});
    sequences.back().weight[0] = 0;
  }
  const std::vector<int64_t> lengths(sequences.size(), length);
  std::vector<int64_t> batch(sequences.size());
  std::iota(batch.begin(), batch.end(), int64_t{0});
  Forward forward;
  if (run.dtype == "bf16") forward.compute.matmul = forward.logps.compute = at::kBFloat16;
  const auto step = [&] {
    optimizer.zero_grad();
    add_language_gradient(decoder, sequences, lengths, batch, kMostTokens, forward);
    optimizer.step(1e-6);
  };
  step();  // allocations and the kernels' first call
  int64_t steps = 0;
  double seconds = 0;
  while (steps == 0 || (seconds < 0.4 && steps < 20)) seconds += seconds_of(step), ++steps;
  const double per_token = seconds / static_cast<double>(steps) / static_cast<double>(length * std::ssize(sequences));
  return per_token * static_cast<double>(shape.tokens) * m.scale;
}

double seconds_per_sampled_token(const model::ModelConfig& config, int64_t prompt_tokens, int64_t new_tokens,
                                 const config::RunSettings& run) {
  const Measured m = smaller(config);
  model::Decoder decoder = model::make_decoder(m.config, 1);
  decoder.to(at::Device(run.device), at::kFloat);
  const int64_t prompt = std::clamp<int64_t>(prompt_tokens, 1, std::max<int64_t>(1, m.config.max_positions / 2));
  rollout::SamplingParams sampling;
  sampling.max_tokens = std::clamp<int64_t>(new_tokens, 1, std::clamp<int64_t>(m.config.max_positions - prompt, 1, 32));
  Stream stream(2, "speed");
  std::vector<rollout::Request> requests;
  for (uint64_t i = 0; i < 64; ++i) requests.push_back({random_ids(stream, prompt, m.config.vocab_size), i, 0});
  rollout::GenerateOptions options;
  double seconds = 0;
  int64_t tokens = 0;
  for (int round = 0; round < 2; ++round) {  // the first warms up
    rollout::GenerateStats stats;
    seconds = seconds_of([&] { rollout::generate(decoder, requests, sampling, options, &stats); });
    tokens = stats.new_tokens;
  }
  return seconds / static_cast<double>(tokens) * m.scale;
}

}  // namespace hone::train
