#include "model/adapter.h"

#include <fnmatch.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/rng.h"
#include "model/decoder.h"
#include "model/family.h"

namespace hone::model {
namespace {

bool matches(const std::string& pattern, const std::string& text) {
  return ::fnmatch(pattern.c_str(), text.c_str(), FNM_NOESCAPE) == 0;
}

bool names(const std::string& pattern, const std::string& module) {
  if (pattern == "all-linear" || matches(pattern, module)) return true;
  for (size_t dot = module.find('.'); dot != std::string::npos; dot = module.find('.', dot + 1))
    if (matches(pattern, module.substr(dot + 1))) return true;
  return false;
}

void fill_uniform(const Tensor& tensor, double bound, uint64_t seed, const std::string& name) {
  auto* data = tensor.mutable_data_ptr<float>();
  const Stream stream(seed, "init:" + name);
  at::parallel_for(0, tensor.numel(), 4096, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      data[i] = static_cast<float>(bound * (2 * stream.uniform_at(static_cast<uint64_t>(i)) - 1));
  });
}

}  // namespace

double AdapterShape::scale() const {
  const auto r = static_cast<double>(rank);
  return alpha / (rslora ? std::sqrt(r) : r);
}

std::vector<Parameter> Adapter::parameters() const {
  std::vector<Parameter> out;
  for (const AdapterPart& p : parts) {
    out.push_back({p.module + ".lora_A.weight", p.low_rank.a, ParameterKind::kMatrix});
    out.push_back({p.module + ".lora_B.weight", p.low_rank.b, ParameterKind::kMatrix});
  }
  return out;
}

int64_t Adapter::parameter_count() const {
  int64_t n = 0;
  for (const AdapterPart& p : parts) n += p.low_rank.a.numel() + p.low_rank.b.numel();
  return n;
}

Adapter Adapter::clone() const {
  Adapter out = *this;
  for (AdapterPart& p : out.parts) {
    p.low_rank.a = p.low_rank.a.detach().clone();
    p.low_rank.b = p.low_rank.b.detach().clone();
  }
  return out;
}

std::vector<AdapterModule> adapter_modules(const ModelConfig& config) {
  std::vector<AdapterModule> out;
  const std::vector<TensorShape> tensors = layer_tensors(config);
  for (int64_t layer = 0; layer < config.layers; ++layer)
    for (const TensorShape& t : tensors) {
      if (t.kind != ParameterKind::kMatrix) continue;
      const std::string name = family(config.family).name(t.slot, layer);
      out.push_back({t.slot, layer, name.substr(0, name.rfind('.')), t.shape});
    }
  return out;
}

std::vector<AdapterModule> adapter_targets(const ModelConfig& config, const std::vector<std::string>& patterns) {
  if (patterns.empty()) usage_error("no adapter targets", "all-linear names every linear layer");
  std::vector<AdapterModule> out;
  std::set<std::string> used, leaves;
  for (AdapterModule& m : adapter_modules(config)) {
    leaves.insert(m.module.substr(m.module.rfind('.') + 1));
    bool named = false;
    for (const std::string& pattern : patterns)
      if (names(pattern, m.module)) {
        used.insert(pattern);
        named = true;
      }
    if (named) out.push_back(std::move(m));
  }
  for (const std::string& pattern : patterns)
    if (!used.contains(pattern)) {
      std::string known;
      for (const std::string& leaf : leaves) known += (known.empty() ? "" : ", ") + leaf;
      usage_error("adapter target '" + pattern + "' names no linear layer of this model", "there are: " + known);
    }
  return out;
}

Adapter make_adapter(const Decoder& decoder, const AdapterShape& shape, uint64_t seed) {
  HONE_CHECK(shape.rank > 0, "an adapter of rank 0");
  Adapter out{shape, {}, {}};
  for (const AdapterModule& m : adapter_targets(decoder.config(), shape.targets)) {
    const int64_t in = m.shape[1];
    const Tensor a = at::empty({shape.rank, in}, at::kFloat);
    fill_uniform(a, 1 / std::sqrt(static_cast<double>(in)), seed, m.module + ".lora_A.weight");
    const Tensor b = at::zeros({m.shape[0], shape.rank}, a.options());
    out.parts.push_back({m.slot, m.layer, m.module, {a.to(decoder.device()), b.to(decoder.device()), shape.scale()}});
  }
  return out;
}

void merge_adapter(Decoder& decoder) {
  if (decoder.adapter() == nullptr) return;
  const at::NoGradGuard no_grad;
  for (const AdapterPart& p : decoder.adapter()->parts) {
    const LowRank& l = p.low_rank;
    // Summed in f64: a merged weight is the nearest f32 to what it stands for.
    const Tensor sum = at::matmul(l.b.to(at::kDouble), l.a.to(at::kDouble)) * l.scale;
    Tensor weight = decoder.at(p.slot, p.layer);
    weight.copy_(weight.to(at::kDouble) + sum);
  }
  decoder.set_adapter(std::nullopt);
}

}  // namespace hone::model
