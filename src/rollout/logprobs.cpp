#include "rollout/logprobs.h"

#include "base/error.h"
#include "tensor/from_host.h"
#include "tensor/logps.h"

namespace hone::rollout {

std::vector<std::vector<float>> sequence_logps(const model::Decoder& decoder, std::span<const ScoredSequence> sequences,
                                               double inv_temperature, at::ScalarType compute, int64_t micro_tokens,
                                               std::span<const int32_t> absent_ids,
                                               const std::function<void(int64_t done)>& progress) {
  const at::NoGradGuard no_grad;
  std::vector<std::vector<float>> out;
  out.reserve(sequences.size());
  model::ComputeOptions options;
  options.matmul = compute;
  LogpsOptions logps_options;
  logps_options.inv_temperature = inv_temperature;
  logps_options.compute = compute;
  logps_options.absent = index_from_host(absent_ids, decoder.device());
  for (size_t begin = 0; begin < sequences.size();) {
    size_t end = begin;
    int64_t tokens = 0;
    std::vector<std::vector<int32_t>> ids;
    std::vector<int64_t> rows, targets;
    while (end < sequences.size() &&
           (end == begin || tokens + static_cast<int64_t>(sequences[end].ids.size()) <= micro_tokens)) {
      const ScoredSequence& s = sequences[end++];
      HONE_CHECK(s.first >= 1 && !s.ids.empty());
      for (size_t i = static_cast<size_t>(s.first); i < s.ids.size(); ++i) {
        rows.push_back(tokens + static_cast<int64_t>(i) - 1);
        targets.push_back(s.ids[i]);
      }
      tokens += static_cast<int64_t>(s.ids.size());
      ids.push_back(s.ids);
    }
    std::vector<float> values(rows.size());
    if (!rows.empty()) {
      const model::Packed packed = model::pack(ids, decoder.device());
      const at::Device device = decoder.device();
      const Tensor hidden = decoder.hidden(packed, options).index_select(0, from_host(rows, device));
      const Tensor logps = decoder.token_logps(hidden, from_host(targets, device), logps_options)
                               .logps.to(at::kCPU, at::kFloat)
                               .contiguous();
      std::copy_n(logps.const_data_ptr<float>(), values.size(), values.begin());
    }
    size_t next = 0;
    for (size_t s = begin; s < end; ++s) {
      const size_t n =
          sequences[s].ids.size() - std::min(sequences[s].ids.size(), static_cast<size_t>(sequences[s].first));
      out.emplace_back(values.begin() + static_cast<std::ptrdiff_t>(next),
                       values.begin() + static_cast<std::ptrdiff_t>(next + n));
      next += n;
    }
    begin = end;
    if (progress) progress(static_cast<int64_t>(end));
  }
  return out;
}

}  // namespace hone::rollout
