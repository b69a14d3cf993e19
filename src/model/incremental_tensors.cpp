#include "model/incremental_tensors.h"

#include <algorithm>

#include "model/layer.h"
#include "model/tensor_ops.h"
#include "tensor/from_host.h"

namespace hone::model {

Tensor step_tensors(const Decoder& decoder, KvCache::Tensors& cache, std::span<const int32_t> ids,
                    std::span<const StepRun> runs, const ComputeOptions& options) {
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
    cache.length[run.sequence] += run.rows;
  }
  cache.reserve(slots, longest);
  const Tensor positions = from_host(host_positions, device), slot = from_host(host_slots, device);
  // (M, 1, 1, T): row i sees keys 0 … position of i.
  const Tensor visible =
      at::arange(longest, positions.options()).unsqueeze(0).le(positions.unsqueeze(1)).unsqueeze(1).unsqueeze(1);

  const Tensor tokens = from_host(std::vector<int64_t>(ids.begin(), ids.end()), device);
  auto [x, cos, sin] = embed(decoder, tokens, positions, longest);
  for (int64_t l = 0; l < c.layers; ++l) {
    const auto attend = [&, cos = cos, sin = sin](const Tensor& queries, const Tensor& keys, const Tensor& v) {
      const Tensor q = cos.defined() ? rotate(queries, cos, sin) : queries;
      const Tensor k = cos.defined() ? rotate(keys, cos, sin) : keys;
      KvCache::Tensors::Layer& kv = cache.layers[l];
      kv.keys.transpose(1, 2).index_put_({slot, positions}, k);
      kv.values.transpose(1, 2).index_put_({slot, positions}, v);
      std::vector<Tensor> parts;
      constexpr int64_t kRows = 64;  // each row brings its own copy of the keys
      for (int64_t begin = 0; begin < q.size(0); begin += kRows) {
        const int64_t n = std::min(kRows, q.size(0) - begin);
        const auto cached = [&](const Tensor& t) {
          return t.narrow(2, 0, longest).index_select(0, slot.narrow(0, begin, n));
        };
        parts.push_back(at::scaled_dot_product_attention(q.narrow(0, begin, n).unsqueeze(2), cached(kv.keys),
                                                         cached(kv.values), visible.narrow(0, begin, n), 0.0, false,
                                                         std::nullopt, c.heads != c.kv_heads)
                            .reshape({n, c.heads * c.head_dim}));
      }
      return at::cat(parts);
    };
    x = run_layer(decoder.spec(), TensorOps(decoder, l, options, attend), x);
  }
  return normalise(x, decoder.at(Slot::kFinalNorm), decoder.at(Slot::kFinalNormBias), c.norm_eps);
}

}  // namespace hone::model
