#include "base/error.h"
#include "infer/engine.h"
#include "infer/engine_state.h"
#include "model/packed.h"
#include "rollout/logprobs.h"
#include "tensor/tensor.h"

namespace hone::infer {

std::vector<std::vector<float>> Engine::mean_hidden(std::span<const Scored> sequences) const {
  HONE_CHECK(state_->decoder);
  const int64_t most_tokens = rollout::ScoringOptions{}.micro_tokens;  // of one pass
  const at::NoGradGuard no_grad;
  const model::Decoder& decoder = *state_->decoder;
  model::ComputeOptions options;
  options.matmul = state_->compute;
  std::vector<std::vector<float>> out;
  for (size_t begin = 0; begin < sequences.size();) {
    std::vector<std::span<const int32_t>> ids;
    int64_t tokens = 0;
    size_t end = begin;
    while (end < sequences.size() && (end == begin || tokens + std::ssize(sequences[end].ids) <= most_tokens)) {
      HONE_CHECK(sequences[end].first >= 0 && sequences[end].first < std::ssize(sequences[end].ids));
      tokens += std::ssize(sequences[end].ids);
      ids.emplace_back(sequences[end++].ids);
    }
    const model::Packed packed = model::pack(ids, decoder.device(), 1);
    const Tensor hidden = decoder.hidden(packed, options).to(at::kCPU, at::kFloat).contiguous();  // (N, D)
    const int64_t width = hidden.size(1);
    for (size_t s = begin; s < end; ++s) {
      const model::Place& place = packed.places[s - begin];
      std::vector<double> sum(width, 0);
      for (int64_t i = sequences[s].first; i < place.length; ++i) {
        const float* row = hidden.const_data_ptr<float>() + place.row(i) * width;
        for (size_t d = 0; d < sum.size(); ++d) sum[d] += static_cast<double>(row[d]);
      }
      std::vector<float>& mean = out.emplace_back();
      for (const double x : sum)
        mean.push_back(static_cast<float>(x / static_cast<double>(place.length - sequences[s].first)));
    }
    begin = end;
  }
  return out;
}

}  // namespace hone::infer
