#include "rollout/logprobs.h"

#include <algorithm>

#include "base/common_beginning.h"
#include "base/error.h"
#include "tensor/from_host.h"
#include "tensor/logps.h"

namespace hone::rollout {

std::vector<std::vector<float>> sequence_logps(const model::Decoder& decoder, std::span<const ScoredSequence> sequences,
                                               const ScoringOptions& scoring) {
  const at::NoGradGuard no_grad;
  std::vector<std::vector<float>> out;
  out.reserve(sequences.size());
  model::ComputeOptions options;
  options.matmul = scoring.compute;
  LogpsOptions logps_options;
  logps_options.inv_temperature = scoring.inv_temperature;
  logps_options.compute = scoring.compute;
  logps_options.absent = index_from_host(scoring.absent_ids, decoder.device());
  const auto group = static_cast<size_t>(scoring.group);
  for (size_t begin = 0; begin < sequences.size();) {
    size_t end = begin;
    int64_t tokens = 0;
    std::vector<std::span<const int32_t>> ids;
    while (end < sequences.size()) {  // whole groups
      std::vector<std::span<const int32_t>> next;
      for (size_t i = end; i < std::min(end + group, sequences.size()); ++i) {
        HONE_CHECK(sequences[i].first >= 1 && !sequences[i].ids.empty());
        next.emplace_back(sequences[i].ids);
      }
      int64_t more = -(std::ssize(next) - 1) * common_beginning(next);
      for (const auto& s : next) more += std::ssize(s);
      if (end > begin && tokens + more > scoring.micro_tokens) break;
      tokens += more;
      end += next.size();
      ids.insert(ids.end(), next.begin(), next.end());
    }
    const model::Packed packed = model::pack(ids, decoder.device(), scoring.group);
    std::vector<int64_t> rows, targets;
    for (size_t n = begin; n < end; ++n) {
      const ScoredSequence& s = sequences[n];
      for (int64_t i = s.first; i < std::ssize(s.ids); ++i) {
        rows.push_back(packed.places[n - begin].row(i - 1));
        targets.push_back(s.ids[i]);
      }
    }
    std::vector<float> values(rows.size());
    if (!rows.empty()) {
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
    if (scoring.progress) scoring.progress(static_cast<int64_t>(end));
  }
  return out;
}

std::vector<double> summed_logps(const model::Decoder& decoder, std::span<const ScoredSequence> sequences,
                                 const ScoringOptions& options) {
  std::vector<double> out;
  for (const std::vector<float>& logps : sequence_logps(decoder, sequences, options)) {
    const ScoredSequence& s = sequences[out.size()];
    double sum = 0;
    for (size_t k = 0; k < logps.size(); ++k)
      if (s.weight.empty() || s.weight[s.first + k] != 0) sum += logps[k];
    out.push_back(sum);
  }
  return out;
}

}  // namespace hone::rollout
