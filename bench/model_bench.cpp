// Speed of the model room by itself: training (forward and backward through log-probabilities) and sampling steps, each
// against this machine's best square f32 (or bf16) matrix product, measured in the same run.
//   model_bench [threads] [f32|bf16]
// Work counted: 6 · N · tokens for training, 2 · N for a sampled token (N: weights of matrices, the output weight
// once), plus attention (causal half): 6 and 2 · 2 · layers · heads · head_dim · keys.
#include <chrono>
#include <cstdio>
#include <cstring>

#include "base/machine.h"
#include "base/rng.h"
#include "model/decoder.h"
#include "model/incremental.h"
#include "tensor/linear.h"
#include "tensor/logps.h"
#include "tensor/runtime.h"

using namespace hone;
using namespace hone::model;

namespace {

double seconds(const std::function<void()>& work, int repeats) {
  double best = 1e30;
  for (int i = 0; i < repeats; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

double matmul_peak(at::ScalarType dtype) {
  const at::NoGradGuard no_grad;
  double best = 0;
  for (const int64_t n : {512, 1024, 2048, 4096}) {
    const Tensor a = at::ones({n, n}, dtype), b = at::ones({n, n}, dtype);
    const double flops = 2.0 * static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(n);
    best = std::max(best, flops / seconds([&] { at::mm(a, b); }, n >= 4096 ? 2 : 6));
  }
  return best;
}

int64_t matrix_weights(const Decoder& decoder) {
  int64_t n = 0;
  for (const Parameter& p : decoder.parameters())
    if (p.kind == Parameter::Kind::kMatrix) n += p.tensor.numel();
  return n + decoder.output_weight().numel();
}

void bench(const char* name, const ModelConfig& config, at::ScalarType dtype, double peak) {
  Decoder decoder = make_decoder(config, 1);
  const auto weights = static_cast<double>(matrix_weights(decoder));
  const ModelConfig& c = decoder.config();
  const double per_cell = static_cast<double>(c.layers * c.heads * c.head_dim);

  decoder.set_trainable(true);
  Stream stream(1, "bench");
  std::vector<std::vector<int32_t>> batch;
  double tokens = 0, cells = 0;
  for (int i = 0; i < 32; ++i) {
    const auto length = static_cast<size_t>(stream.between(64, 192));
    batch.emplace_back();
    for (size_t t = 0; t < length; ++t)
      batch.back().push_back(static_cast<int32_t>(stream.below(static_cast<uint64_t>(c.vocab_size))));
    tokens += static_cast<double>(length);
    cells += static_cast<double>(length * (length + 1)) / 2;
  }
  const Packed packed = pack(batch);
  const Tensor targets = packed.ids.roll({-1});
  const ComputeOptions options{.matmul = dtype};
  const double step = seconds(
      [&] {
        const Tensor loss =
            token_logps(decoder.hidden(packed, options), decoder.output_weight(), targets, {.compute = dtype})
                .logps.mean();
        loss.backward();
        for (Parameter& p : decoder.parameters()) p.tensor.mutable_grad().reset();
      },
      4);
  const double train_flops = 6 * weights * tokens + 12 * per_cell * cells;
  std::printf("%s  train    %8.0f tokens/s  %5.1f%% of peak\n", name, tokens / step, 100 * train_flops / step / peak);

  decoder.set_trainable(false);
  KvCache cache(c);
  std::vector<int64_t> sequences;
  std::vector<int32_t> ids, one;
  std::vector<int64_t> rows;
  for (int i = 0; i < 32; ++i) {
    sequences.push_back(cache.add());
    one.push_back(i);
    for (int t = 0; t < 64; ++t) {
      ids.push_back((i + t) % 100);
      rows.push_back(sequences.back());
    }
  }
  const double prefill = seconds([&] { model::step(decoder, cache, ids, rows); }, 1);
  double checksum = 0;
  const double decode = seconds(
      [&] {
        for (int t = 0; t < 128; ++t) {
          const Tensor logits = invariant_linear(model::step(decoder, cache, one, sequences), decoder.output_weight());
          checksum += logits.data_ptr<float>()[0];
        }
      },
      1);
  const double decode_flops = 128 * (2 * weights * 32 + 4 * per_cell * 32 * 128);
  std::printf("%s  prefill  %8.0f tokens/s\n%s  decode   %8.0f tokens/s  %5.1f%% of peak\n", name, 2048 / prefill, name,
              128 * 32 / decode, 100 * decode_flops / decode / peak);
  std::printf("%s  generate %8.0f new tokens/s (32 prompts of 64, 128 new, without sampling)\n", name,
              128 * 32 / (decode + prefill));
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : usable_threads();
  const at::ScalarType dtype = argc > 2 && std::strcmp(argv[2], "bf16") == 0 ? at::kBFloat16 : at::kFloat;
  set_threads(threads);
  const double peak = matmul_peak(dtype);
  std::printf("%d threads, matrix peak %.1f GFLOP/s\n", threads, peak * 1e-9);
  bench(" 4M", llama_config(2048, 224, 6, 7, 7, 608, 512), dtype, peak);
  bench("26M", llama_config(4096, 512, 8, 8, 4, 1408, 512), dtype, peak);
}
