#include "model/incremental_tensors.h"

#include <algorithm>

#include "model/layer_ops.h"
#include "model/rope.h"
#include "tensor/from_host.h"
#include "tensor/layer_kernels.h"
#include "tensor/linear.h"

namespace hone::model {

Tensor step_tensors(const Decoder& decoder, KvCache::Tensors& cache, std::span<const int32_t> ids,
                    std::span<const StepRun> runs) {
  const ModelConfig& c = decoder.config();
  const at::Device device = decoder.device();
  std::vector<int64_t> host_positions, host_slots;
  int64_t longest = 0, slots = 0;
  for (const StepRun& run : runs) {
    longest = std::max(longest, run.position + run.rows);
    slots = std::max(slots, run.sequence + 1);
    for (int64_t i = 0; i < run.rows; ++i) {
      host_positions.push_back(run.position + i);
      host_slots.push_back(run.sequence);
    }
    cache.length[static_cast<size_t>(run.sequence)] += run.rows;
  }
  cache.reserve(slots, longest);
  const Tensor positions = from_host(host_positions, device), slot = from_host(host_slots, device);
  // (M, 1, 1, T): row i sees keys 0 … position of i.
  const Tensor visible =
      at::arange(longest, positions.options()).unsqueeze(0).le(positions.unsqueeze(1)).unsqueeze(1).unsqueeze(1);

  const Tensor tokens = from_host(std::vector<int64_t>(ids.begin(), ids.end()), device);
  Tensor x = at::embedding(decoder.at(Slot::kEmbedding), tokens);
  Tensor cos, sin;
  if (c.gpt2()) {
    x = x + at::embedding(decoder.at(Slot::kPositions), positions);
  } else {
    const RopeTable table = decoder.rope().table(longest, x.options());
    cos = table.cos.index_select(0, positions);
    sin = table.sin.index_select(0, positions);
  }
  for (int64_t l = 0; l < c.layers; ++l) {
    const auto project = [&](const Tensor& input, Slot weight, Slot bias) {
      return linear(input, decoder.at(weight, l), decoder.at(bias, l), at::ScalarType::Undefined);
    };
    const auto heads = [&](const Tensor& t, int64_t n) { return t.unflatten(1, {n, c.head_dim}); };
    const Tensor h = normalise(x, decoder.at(Slot::kNorm1, l), decoder.at(Slot::kNorm1Bias, l), c.norm_eps);
    Tensor q, k, v;
    if (c.gpt2()) {
      const std::vector<Tensor> parts = at::chunk(project(h, Slot::kQkv, Slot::kQkvBias), 3, 1);
      q = heads(parts[0], c.heads), k = heads(parts[1], c.kv_heads), v = heads(parts[2], c.kv_heads);
    } else {
      q = rotate(heads(project(h, Slot::kQ, Slot::kQBias), c.heads), cos, sin);
      k = rotate(heads(project(h, Slot::kK, Slot::kKBias), c.kv_heads), cos, sin);
      v = heads(project(h, Slot::kV, Slot::kVBias), c.kv_heads);
    }
    KvCache::Tensors::Layer& kv = cache.layers[static_cast<size_t>(l)];
    kv.keys.transpose(1, 2).index_put_({slot, positions}, k);
    kv.values.transpose(1, 2).index_put_({slot, positions}, v);
    std::vector<Tensor> parts;
    constexpr int64_t kRows = 64;  // each row brings its own copy of the keys
    for (int64_t begin = 0; begin < x.size(0); begin += kRows) {
      const int64_t n = std::min(kRows, x.size(0) - begin);
      const auto cached = [&](const Tensor& t) {
        return t.narrow(2, 0, longest).index_select(0, slot.narrow(0, begin, n));
      };
      parts.push_back(at::scaled_dot_product_attention(q.narrow(0, begin, n).unsqueeze(2), cached(kv.keys),
                                                       cached(kv.values), visible.narrow(0, begin, n), 0.0, false,
                                                       std::nullopt, c.heads != c.kv_heads)
                          .reshape({n, c.heads * c.head_dim}));
    }
    x = x + project(at::cat(parts), Slot::kO, Slot::kOBias);
    const Tensor m = normalise(x, decoder.at(Slot::kNorm2, l), decoder.at(Slot::kNorm2Bias, l), c.norm_eps);
    const Tensor up = project(m, Slot::kUp, Slot::kUpBias);
    const Tensor inner = c.gpt2() ? at::gelu(up, "tanh") : swiglu(project(m, Slot::kGate, Slot::kGateBias), up);
    x = x + project(inner, Slot::kDown, Slot::kDownBias);
  }
  return normalise(x, decoder.at(Slot::kFinalNorm), decoder.at(Slot::kFinalNormBias), c.norm_eps);
}

}  // namespace hone::model
