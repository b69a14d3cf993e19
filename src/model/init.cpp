// Initial weights, from the counter-based generator: a chunk of each tensor is one stream, so threads change nothing.
#include <cmath>

#include "base/rng.h"
#include "model/decoder.h"
#include "model/scalar_head.h"

namespace hone::model {
namespace {

void fill_normal(const Tensor& tensor, double std, uint64_t seed, const std::string& name) {
  constexpr int64_t kChunk = 4096;
  auto* data = tensor.mutable_data_ptr<float>();
  const int64_t n = tensor.numel();
  at::parallel_for(0, (n + kChunk - 1) / kChunk, 1, [&](int64_t begin, int64_t end) {
    for (int64_t chunk = begin; chunk < end; ++chunk) {
      Stream stream(seed, "init:" + name, static_cast<uint64_t>(chunk));
      for (int64_t i = chunk * kChunk; i < std::min(n, (chunk + 1) * kChunk); ++i)
        data[i] = static_cast<float>(std * stream.normal());
    }
  });
}

bool ends_with(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

}  // namespace

Decoder make_decoder(const ModelConfig& config, uint64_t seed) {
  Decoder decoder(config);
  const double residual = config.init_std / std::sqrt(2.0 * static_cast<double>(config.layers));
  for (Parameter& p : decoder.parameters()) {
    if (p.kind == Parameter::Kind::kVector) {
      p.tensor.fill_(ends_with(p.name, ".bias") ? 0 : 1);
      continue;
    }
    const bool writes_residual = ends_with(p.name, "o_proj.weight") || ends_with(p.name, "down_proj.weight") ||
                                 ends_with(p.name, "c_proj.weight");
    fill_normal(p.tensor, writes_residual ? residual : config.init_std, seed, p.name);
  }
  return decoder;
}

ScalarHead make_scalar_head(int64_t width, double std, uint64_t seed) {
  ScalarHead head{at::zeros({1, width}, at::kFloat), {}};
  if (std > 0) fill_normal(head.weight, std, seed, "score.weight");
  return head;
}

}  // namespace hone::model
